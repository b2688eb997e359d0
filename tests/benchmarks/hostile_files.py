"""Files made to hurt whoever decodes pictures: bombs, stumps, impostors, loops. Made here, never downloaded."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

_PNG = b"\x89PNG\r\n\x1a\n"
_SMALL = zlib.compress(bytes(101 * 100))
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")


@dataclass(frozen=True)
class HostileFile:
    """A file, and whether it must be refused; otherwise it is odd and can be read without harm."""

    name: str
    data: bytes
    refused: bool = True


def hostile_files(quick: bool = False) -> list[HostileFile]:
    """Return all of them, which takes half a minute, or without those that take long to make or to read."""
    short = [*_impostors(), *_stumps(), *_too_small_or_large(), *_bombs(), *_loops(), *_odd()]
    return short if quick else [*short, *_heavy_bombs(), *_long_loops()]


def picture(size: tuple[int, int] = (320, 240), mode: str = "RGB") -> Image.Image:
    """Return a picture with something on it."""
    bands = [Image.radial_gradient("L"), Image.linear_gradient("L"), Image.linear_gradient("L").rotate(90)]
    return Image.merge("RGB", bands).resize(size).convert(mode)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))


def png(width: int, height: int, pixels: bytes, *before: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """Return a PNG with some chunks before its pixels, which are compressed already."""
    head = chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return _PNG + head + b"".join(before) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _zeros(size: int) -> bytes:
    """Return so many zeros, compressed."""
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    parts = [packer.compress(piece) for _ in range(size >> 20)]
    return b"".join((*parts, packer.compress(bytes(size & 0xFFFFF)), packer.flush()))


def _impostors() -> Iterator[HostileFile]:
    jpeg = saved(picture(), "JPEG")
    bomb = '<!ENTITY a0 "x">' + "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9))
    contents = {
        "random bytes": random.Random(1).randbytes(50_000),
        "text": b"This is not a picture. " * 100,
        "HTML": b"<!doctype html><script>alert(1)</script>",
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "SVG with an entity bomb": f'<?xml version="1.0"?><!DOCTYPE s [{bomb}]><svg>&a9;</svg>'.encode(),
        "PDF": b"%PDF-1.7\n" + bytes(100),
        "ZIP": b"PK\x03\x04" + bytes(100),
        "gzip": b"\x1f\x8b\x08" + bytes(100),
        "Windows program": b"MZ\x90\x00" + bytes(200),
        "Linux program": b"\x7fELF\x02\x01" + bytes(200),
        "MPEG-4": b"\x00\x00\x00\x20ftypisom" + bytes(200),
        "Matroska": b"\x1aE\xdf\xa3" + bytes(200),
        "icon": b"\x00\x00\x01\x00\x01\x00" + bytes(100),
        "Photoshop": b"8BPS\x00\x01" + bytes(100),
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n",
        "JPEG 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(100),
        "JPEG XL": b"\xff\x0a" + bytes(100),
        "GIF that is also a script": b"GIF89a/*" + bytes(50) + b"*/=alert(1)",
        "text before a JPEG": b"hello\n" + jpeg,
    }
    return (HostileFile(name, data) for name, data in contents.items())


def _stumps() -> Iterator[HostileFile]:
    yield HostileFile("zero bytes", b"")
    yield HostileFile("one byte", b"\xff")
    yield HostileFile("PNG signature alone", _PNG)
    yield HostileFile("JPEG marker alone", b"\xff\xd8\xff")
    for kind in _FORMATS:
        data = saved(picture(), kind)
        yield HostileFile(f"{kind} cut in half", data[: len(data) // 2])
    whole = saved(picture(), "PNG")
    yield HostileFile("PNG with a wrong checksum", whole[:40] + bytes([whole[40] ^ 255]) + whole[41:])
    noise = bytearray(saved(picture(), "WEBP"))
    noise[30:200] = random.Random(2).randbytes(170)
    yield HostileFile("WebP with garbage inside", bytes(noise))
    yield HostileFile("GIF with garbage for pixels", saved(picture(), "GIF")[:790] + random.Random(3).randbytes(5_000))
    beyond = {256: 200, 257: 200, 258: 8, 259: 1, 262: 1, 273: 10**9, 278: 200, 279: 40_000}
    yield HostileFile("TIFF whose pixels lie beyond its end", _tiff(beyond))


def _too_small_or_large() -> Iterator[HostileFile]:
    yield HostileFile("1 x 1 PNG", saved(picture((1, 1)), "PNG"))
    yield HostileFile("1 x 1 GIF", saved(picture((1, 1)), "GIF"))
    yield HostileFile("1 x 9,000 JPEG", saved(picture((1, 9_000)), "JPEG"))
    yield HostileFile("24,000 x 16 PNG", saved(picture((24_000, 16)), "PNG"))
    yield HostileFile("30,000 x 30,000 PNG", png(30_000, 30_000, _zeros(30_000 * 3_751), depth=1))
    yield HostileFile("PNG that says 2 thousand million on a side", png(2**31 - 1, 2**31 - 1, _zeros(1_000)))
    gif = bytearray(saved(picture(), "GIF"))
    gif[6:10] = struct.pack("<HH", 30_000, 30_000)
    yield HostileFile("GIF that says 30,000 x 30,000", bytes(gif))
    jpeg = bytearray(saved(picture(), "JPEG"))
    place = jpeg.index(b"\xff\xc0") + 5
    jpeg[place : place + 4] = struct.pack("!HH", 65_500, 65_500)
    yield HostileFile("JPEG that says 65,500 x 65,500", bytes(jpeg))
    bmp = bytearray(saved(picture(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 60_000, 60_000)
    yield HostileFile("BMP that says 60,000 x 60,000", bytes(bmp))
    avif = bytearray(saved(picture(), "AVIF"))
    place = avif.index(b"ispe") + 8
    avif[place : place + 8] = struct.pack("!II", 30_000, 30_000)
    yield HostileFile("AVIF that says 30,000 x 30,000", bytes(avif))
    large = {256: 30_000, 257: 30_000, 258: 8, 259: 1, 262: 1, 273: 8, 278: 30_000, 279: 100}
    yield HostileFile("TIFF that says 30,000 x 30,000", _tiff(large))
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x02\x00\x00\x00" + (16_383).to_bytes(3, "little") * 2
    rest = saved(picture(), "WEBP")[12:]
    body = b"WEBP" + canvas + rest
    yield HostileFile("WebP with a canvas of 16,384 x 16,384", b"RIFF" + struct.pack("<I", len(body)) + body)
    yield HostileFile("eleven million bytes", saved(picture(), "JPEG") + bytes(11_000_000))


def _heavy_bombs() -> Iterator[HostileFile]:
    texts = [chunk(b"zTXt", b"a%d\0\0" % i + _zeros(1_000_000)) for i in range(300)]
    yield HostileFile("PNG with 300 texts of 1 MB", png(100, 100, _SMALL, *texts))
    webp = saved(Image.new("RGBA", (16_000, 1_500)), "WEBP", lossless=True, method=0)
    yield HostileFile("WebP of 24 million pixels in few bytes", webp)
    avif = saved(Image.new("RGB", (6_000, 4_000)), "AVIF", speed=10, quality=10)
    yield HostileFile("AVIF of 24 million pixels", avif, refused=False)
    tiff = saved(Image.new("CMYK", (4_999, 4_999)), "TIFF", compression="tiff_adobe_deflate")
    yield HostileFile("TIFF of 100 MB in few bytes", tiff, refused=False)
    yield HostileFile("GIF of 5,000 x 4,999 in few bytes", saved(Image.new("P", (5_000, 4_999)), "GIF"), refused=False)


def _bombs() -> Iterator[HostileFile]:
    zeros = _zeros(200 << 20)
    yield HostileFile("PNG with 200 MB behind its pixels", png(100, 100, zeros), refused=False)
    yield HostileFile("PNG with a zTXt of 200 MB", png(100, 100, _SMALL, chunk(b"zTXt", b"a\0\0" + zeros)))
    yield HostileFile("PNG with an iCCP of 200 MB", png(100, 100, _SMALL, chunk(b"iCCP", b"a\0\0" + zeros)))
    full = Image.new("RGB", (4_999, 4_999), "red")
    scans = saved(full, "JPEG", progressive=True)
    last = scans.rindex(b"\xff\xda")
    yield HostileFile("JPEG with 20,000 scans", scans[:-2] + scans[last:-2] * 20_000 + b"\xff\xd9")
    tiled = {256: 100, 257: 100, 258: 8, 259: 8, 262: 1, 322: 65_520, 323: 65_520, 324: 8, 325: 100}
    yield HostileFile("TIFF with a tile of 4 GB", _tiff(tiled))
    apng = chunk(b"acTL", struct.pack("!II", 2**31 - 1, 0))
    yield HostileFile("APNG of 2 thousand million frames", png(100, 100, _SMALL, apng))


def _loops() -> Iterator[HostileFile]:
    head = saved(picture((64, 64), "P"), "GIF")[:-1]
    frame = head[head.index(b"\x2c", 781) :]
    yield HostileFile("GIF that never ends", head + frame * (9_000_000 // len(frame)), refused=False)
    loop = {256: 64, 257: 64, 258: 8, 259: 1, 262: 1, 273: 8, 278: 64, 279: 4_096, 34_665: 8}
    yield HostileFile("TIFF whose directories go in a circle", _tiff(loop, following=4_104), refused=False)
    note = b"Exif\0\0II*\x00" + struct.pack("<I", 8) + struct.pack("<H", 2)
    note += struct.pack("<HHII", 0x0112, 4, 2**32 - 1, 8) + struct.pack("<HHII", 34_665, 4, 1, 8) + struct.pack("<I", 8)
    jpeg = saved(picture(), "JPEG")
    segment = b"\xff\xe1" + struct.pack("!H", len(note) + 2) + note
    yield HostileFile("JPEG whose EXIF goes in a circle", jpeg[:2] + segment + jpeg[2:], refused=False)


def _long_loops() -> Iterator[HostileFile]:
    frames = [Image.new("RGB", (32, 32), (i % 256, i // 256, 0)) for i in range(1_200)]
    animation = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, method=0)
    yield HostileFile("WebP with 1,200 frames", animation)
    pages = [Image.new("L", (64, 64), i % 256) for i in range(1_000)]
    yield HostileFile("TIFF of 1,000 pages", saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]), False)


def _odd() -> Iterator[HostileFile]:
    jpeg = saved(picture(), "JPEG")
    yield HostileFile("JPEG that is also a ZIP", jpeg + b"PK\x03\x04" + bytes(500) + b"PK\x05\x06" + bytes(18), False)
    yield HostileFile("PNG with a script behind it", saved(picture(), "PNG") + b"<?php system($_GET[0]); ?>", False)
    comments = (b"\xff\xfe" + struct.pack("!H", 65_535) + bytes(65_533)) * 130
    yield HostileFile("JPEG with 8.5 MB of comments", jpeg[:2] + comments + jpeg[2:], False)
    yield HostileFile("MPO", saved(picture(), "MPO", save_all=True, append_images=[picture()] * 3), False)


def _tiff(tags: dict[int, int], following: int = 0) -> bytes:
    """Return a TIFF of 64 x 64 zeros at byte 8, then one directory of numbers."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return b"II*\x00" + struct.pack("<I", 4_104) + bytes(4_096) + directory
