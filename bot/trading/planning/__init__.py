"""What a card promises and what may be asked next: previews, prices, sizes, suggestions."""
