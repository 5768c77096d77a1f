"""The commands of the program: what ``python -m bot`` can do. The only room that knows every other."""
