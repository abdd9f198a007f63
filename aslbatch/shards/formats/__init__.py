"""One module a family of file formats, each with the functions of `protocol.Format`."""
