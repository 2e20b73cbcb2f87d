"""One module a chapter: encoder and data in, everything the chapter shows out."""
