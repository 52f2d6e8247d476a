"""Decoding images safely, and the manifest that lists the prepared ones."""
