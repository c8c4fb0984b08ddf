"""The messages of cloudcity.DoorManager, written out by hand: protobuf's wire format for the few kinds of fields that they have."""

import struct

SERVICE = "cloudcity.DoorManager"
VARINT, LENGTH, FIXED32 = 0, 2, 5


def _varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode(**fields):
    """fields: f1=…, f2=… by field number; int and bool as varint, str as text, float as 32 bits. Zero values are left out, as proto3 does."""
    out = b""
    for name, value in fields.items():
        number = int(name[1:])
        if not value:
            continue
        if isinstance(value, float):
            out += _varint(number << 3 | FIXED32) + struct.pack("<f", value)
        elif isinstance(value, str):
            text = value.encode()
            out += _varint(number << 3 | LENGTH) + _varint(len(text)) + text
        else:
            out += _varint(number << 3 | VARINT) + _varint(int(value))
    return out


def decode(data):
    """Field number → int, str or float."""
    fields, at = {}, 0

    def varint():
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    while at < len(data):
        key = varint()
        if key & 7 == VARINT:
            fields[key >> 3] = varint()
        elif key & 7 == FIXED32:
            fields[key >> 3] = struct.unpack_from("<f", data, at)[0]
            at += 4
        elif key & 7 == LENGTH:
            length = varint()
            fields[key >> 3] = data[at : at + length].decode()
            at += length
        else:
            raise ValueError(f"field {key >> 3} has a kind that no message of the doors has")
    return fields
