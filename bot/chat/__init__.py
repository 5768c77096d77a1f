"""The Discord side: client, gate, cards, buttons and wording. The only room of ``bot`` that imports discord."""
