"""One module per chapter: encoder and data in, everything the chapter shows out."""
