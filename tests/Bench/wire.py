"""Protobuf by hand, as far as the xds bench needs it: the messages are few, and generated code would want a compiler on the machine."""


def varint(number):
    out = bytearray()
    while True:
        low, number = number & 0x7F, number >> 7
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def data(number, value):
    """A length-delimited field: text, bytes or a message."""
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def number(field, value):
    return varint(field << 3) + varint(value)


def fields(message):
    """(number, value) of each field, in order; value is an int or bytes. Only varint and length-delimited fields are known."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        if tag & 7 == 2:
            value, at = message[at:at + value], at + value
        elif tag & 7 != 0:
            raise ValueError(f"wire type {tag & 7} of field {tag >> 3}")
        yield tag >> 3, value


def _varint(message, at):
    shift = result = 0
    while True:
        byte = message[at]
        at += 1
        result |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return result, at
