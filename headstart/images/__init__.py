"""Decoding images safely, and the manifest that lists the prepared ones.

`images` decodes every format, turns by EXIF and resizes, with `tiff`, `png` and `depth` for more than 8 bits a channel;
`fitting` makes the square that a network sees; `formats` recognizes files by their first bytes.
"""
