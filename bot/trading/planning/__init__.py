"""The promises of a card and the requests that may follow: previews, prices, sizes, suggestions."""
