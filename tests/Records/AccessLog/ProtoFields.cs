using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Postern.Tests.Records.AccessLog;

/// <summary>
/// A reader of protobuf wire format for tests, written against the format's public description and sharing nothing with the encoder.
/// As strict as Go's: strings must be UTF-8, varints at most ten bytes, nothing may be left over.
/// </summary>
public sealed class ProtoFields
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private readonly List<(int Field, ulong Number, byte[]? Bytes)> fields = [];

    public ProtoFields(byte[] message)
    {
        var at = 0;
        while (at < message.Length)
        {
            var tag = Varint(message, ref at);
            var field = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    fields.Add((field, Varint(message, ref at), null));
                    break;
                case 2:
                    var size = checked((int)Varint(message, ref at));
                    if (size > message.Length - at)
                    {
                        throw new InvalidDataException($"field {field} of {size} bytes at {at} ends behind the message of {message.Length}");
                    }

                    fields.Add((field, 0, message[at..(at + size)]));
                    at += size;
                    break;
                default:
                    throw new InvalidDataException($"wire type {tag & 7} of field {field} is not used by LogEntry");
            }
        }
    }

    public IEnumerable<int> Numbers => fields.Select(f => f.Field);

    public ulong Number(int field) => fields.Where(f => f.Field == field).Select(f => f.Number).SingleOrDefault();

    public string Text(int field) => Strict.GetString(fields.Where(f => f.Field == field).Select(f => f.Bytes!).SingleOrDefault() ?? []);

    public ProtoFields? Message(int field) => fields.Where(f => f.Field == field).Select(f => new ProtoFields(f.Bytes!)).SingleOrDefault();

    public string[][] Pairs(int field) =>
        [.. fields.Where(f => f.Field == field).Select(f => new ProtoFields(f.Bytes!)).Select(pair => new[] { pair.Text(1), pair.Text(2) })];

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var b = message[at++];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("a varint of more than ten bytes");
    }
}
