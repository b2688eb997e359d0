"""What the first bytes of a file say it is, whatever its name or its sender says."""

from __future__ import annotations

import re

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"8BPS", "a Photoshop document"),
    (b"\x1aE\xdf\xa3", "a Matroska video"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"%!PS", "PostScript"),
    (b"\x00\x00\x00\x0cjP", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
)
_BRANDS = {
    b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"heim": "HEIC",
    b"heis": "HEIC", b"mif1": "AVIF or HEIC", b"msf1": "AVIF or HEIC",
}  # fmt: skip
_SVG = re.compile(rb"<(?:[a-z0-9]+:)?svg[\s>]", re.IGNORECASE)
_HTML = re.compile(rb"\s*(?:<!doctype\s+html|<html|<head|<body|<script)", re.IGNORECASE)
_LOOKED_AT = 4_096
_BOM = b"\xef\xbb\xbf"


def kind_of(data: bytes) -> str:
    """Return the kind of a file in words, empty where it is not known.

    Examples
    --------
    >>> kind_of(b"GIF89a..."), kind_of(b"<?xml version='1.0'?><svg xmlns='...'/>"), kind_of(b"what?")
    ('GIF', 'SVG', '')
    """
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF":
        return {b"WEBP": "WebP", b"AVI ": "an AVI video", b"WAVE": "a sound"}.get(data[8:12], "")
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "an MPEG-4 video")
    head = data[:_LOOKED_AT].removeprefix(_BOM)
    if _HTML.match(head):
        return "HTML"
    if _SVG.search(head):
        return "SVG"
    return "XML" if head.lstrip().startswith(b"<?xml") else ""
