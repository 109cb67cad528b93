"""What else people write into photos (XMP, IPTC, texts), without the place where a photo was taken.

XMP: ISO 16684-1; IPTC-IIM 4.2 in the resource blocks of Photoshop.
"""

from __future__ import annotations

import re
import struct
from xml.dom import minidom
from xml.parsers.expat import ExpatError

_EXIF, _TIFF = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/tiff/1.0/"
_PLACES = {
    (_EXIF, "GPS"),
    ("http://ns.adobe.com/photoshop/1.0/", "City"),
    ("http://ns.adobe.com/photoshop/1.0/", "State"),
    ("http://ns.adobe.com/photoshop/1.0/", "Country"),
    ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "Location"),
    ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "CountryCode"),
    ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "Location"),
    ("http://purl.org/dc/elements/1.1/", "coverage"),
}
"""Namespaces, and how the names of their properties begin, that say where a photo was taken."""
_PLACE_NAMESPACES = (
    *("http://www.metadataworkinggroup.com/schemas/regions/location", "http://rs.tdwg.org/dwc/terms/"),
    *("http://www.w3.org/2003/01/geo/wgs84_pos#", "http://www.georss.org/georss"),
)
_PLACE_NAMES = re.compile(r"gps|latitude|longt?itude|altitude|geotag|shotlocation|^(sub)?location$", re.IGNORECASE)
"""Names of properties that say it in any namespace: those of drones have their own, one of them misspelt."""
_OF_THE_FILE = (
    "http://ns.google.com/photos/1.0/camera/",
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/container/item/",
    "http://ns.google.com/photos/dd/1.0/device/",
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
    "http://ns.adobe.com/xmp/note/",
)
"""Namespaces that describe what stood behind the picture: motion, gain maps, a second part of the XMP."""
_TURNED = {(_TIFF, "Orientation"), (_TIFF, "ImageWidth"), (_TIFF, "ImageLength")}
_IPTC_PLACES = frozenset({26, 27, 90, 92, 95, 100, 101})  # data sets of record 2: location, city, state, country
IPTC_RESOURCE = 0x0404
_PLACE_WORDS = re.compile(
    rb"gps|\bgeo(?:$|[^a-z])|geo(?:tag|locat|posit|coord|point)|location|latitude|longitude", re.IGNORECASE
)
_COORDINATES = re.compile(rb"gps|latitude|longitude|geo(?:tag|locat)", re.IGNORECASE)
"""Of the key of a text, and of the whole of a text without one."""
_MOST_XMP = 8_000_000


def public_xmp(xmp: bytes, keep_location: bool = False) -> tuple[bytes, bool]:
    """Return XMP without orientation, without what described parts that are gone, and without the place.

    Returns:
        The packet, empty where it can not be read, and whether a place was in it.
    """
    if len(xmp) > _MOST_XMP:
        return b"", False
    try:
        document = minidom.parseString(xmp.strip(b"\0 \r\n\t"))
    except (ExpatError, ValueError, LookupError, RecursionError):
        return b"", False
    if document.doctype is not None:
        return b"", False
    found = False
    for node in list(document.getElementsByTagName("*")):
        for attribute in list((node.attributes or {}).values()):
            place = _is_place(attribute)
            found |= place
            if (place and not keep_location) or _is_of_the_file(attribute):
                node.removeAttributeNode(attribute)
        place = _is_place(node)
        found |= place
        if ((place and not keep_location) or _is_of_the_file(node)) and node.parentNode is not None:
            node.parentNode.removeChild(node)
    body = b"".join(child.toxml().encode() for child in document.childNodes)
    document.unlink()
    return body, found


def _is_place(node: minidom.Node) -> bool:
    space, name = node.namespaceURI or "", node.localName or ""
    if space in _PLACE_NAMESPACES or _PLACE_NAMES.search(name):
        return True
    return any(space == known and name.startswith(word) for known, word in _PLACES)


def _is_of_the_file(node: minidom.Node) -> bool:
    space, name = node.namespaceURI or "", node.localName or ""
    return space in _OF_THE_FILE or (space, name) in _TURNED


def public_iptc(iptc: bytes, keep_location: bool = False) -> tuple[bytes, bool]:
    """Return IPTC data sets without those that say where a photo was taken, and whether there were any."""
    kept, found, at = b"", False, 0
    while at + 5 <= len(iptc) and iptc[at] == 0x1C:
        record, number, size = struct.unpack_from(">BBH", iptc, at + 1)
        head = 5
        if size & 0x8000:  # an extended data set says how many bytes its size takes
            length = size & 0x7FFF
            size, head = int.from_bytes(iptc[at + 5 : at + 5 + length], "big"), 5 + length
        end = at + head + size
        if end > len(iptc):
            break
        is_place = record == 2 and number in _IPTC_PLACES
        found |= is_place
        if not is_place or keep_location:
            kept += iptc[at:end]
        at = end
    return kept, found


def resources_in(blocks: bytes) -> dict[int, bytes]:
    """Return the resource blocks of Photoshop by their numbers, up to the first one that is damaged."""
    found: dict[int, bytes] = {}
    at = 0
    while blocks[at : at + 4] == b"8BIM" and at + 12 <= len(blocks):
        number, name = struct.unpack_from(">HB", blocks, at + 4)
        at += 6 + (name + 2) // 2 * 2
        size = int.from_bytes(blocks[at : at + 4], "big")
        found.setdefault(number, blocks[at + 4 : at + 4 + size])
        at += 4 + size + size % 2
    return found


def iptc_segment(iptc: bytes) -> bytes:
    """Return IPTC data as the resource block of Photoshop that a JPEG's APP13 holds."""
    body = b"8BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    return b"Photoshop 3.0\0" + body


def public_texts(
    texts: tuple[tuple[bytes, bytes], ...], keep_location: bool
) -> tuple[tuple[tuple[bytes, bytes], ...], bool]:
    """Return texts without those of a place, told by their key or in comments by words, and whether any were."""
    kept = tuple(
        (kind, body)
        for kind, body in texts
        if not (_COORDINATES.search(body) if kind == b"COM" else _PLACE_WORDS.search(body.partition(b"\0")[0]))
    )
    found = len(kept) < len(texts)
    return (texts if keep_location else kept), found
