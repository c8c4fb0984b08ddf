using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;

namespace Postern.Proxy.LastGood;

/// <summary>
/// The form of a state file, format 1. Integers are little-endian.
/// <code>
///  0  8  "POSTSTAT"
///  8  4  format
/// 12  8  last confirmed, Unix milliseconds      rewritten in place while the stream lives
/// 20  8  first bytes of SHA-256 of bytes 0–19   so are these
/// 28 32  SHA-256 of the rest
/// 60  …  node id and source (each a length of 2 bytes and UTF-8), then a DeltaDiscoveryResponse
/// </code>
/// Whatever does not fit exactly is refused: the file may be torn, foreign or forged.
/// </summary>
internal static class StateFile
{
    /// <summary>Format written and read.</summary>
    public const int Format = 1;

    /// <summary>Larger files are neither written nor read, bytes.</summary>
    public const int MaxBytes = 256 << 20;

    /// <summary>Bytes that <see cref="Confirmation"/> replaces at the beginning.</summary>
    public const int ConfirmationBytes = 28;

    private const int HeaderBytes = 60;

    private static ReadOnlySpan<byte> Magic => "POSTSTAT"u8;

    /// <summary>Writes it.</summary>
    /// <exception cref="StateFileException">More than <see cref="MaxBytes"/>.</exception>
    public static byte[] Encode(SavedState state)
    {
        var response = new DeltaDiscoveryResponse { TypeUrl = state.TypeUrl, SystemVersionInfo = state.Version };
        foreach (var saved in state.Resources)
        {
            response.Resources.Add(new Resource { Name = saved.Name, Version = saved.Version, Resource_ = saved.Resource });
        }
        var (node, source) = (Encoding.UTF8.GetBytes(state.NodeId), Encoding.UTF8.GetBytes(state.Source));
        long size = HeaderBytes + 4L + node.Length + source.Length + response.CalculateSize();
        if (size > MaxBytes || node.Length > ushort.MaxValue || source.Length > ushort.MaxValue)
        {
            throw new StateFileException($"{state.Resources.Count} resources make {size} bytes, more than {MaxBytes}");
        }
        var file = new byte[size];
        Confirmation(state.Confirmed).CopyTo(file, 0);
        var at = HeaderBytes;
        foreach (var text in new[] { node, source })
        {
            BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), (ushort)text.Length);
            text.CopyTo(file, at + 2);
            at += 2 + text.Length;
        }
        response.WriteTo(file.AsSpan(at));
        SHA256.HashData(file.AsSpan(HeaderBytes), file.AsSpan(ConfirmationBytes, 32));
        return file;
    }

    /// <summary>The first bytes of a file that was confirmed then.</summary>
    public static byte[] Confirmation(DateTimeOffset confirmed)
    {
        var head = new byte[ConfirmationBytes];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(8), Format);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(12), confirmed.ToUnixTimeMilliseconds());
        SHA256.HashData(head.AsSpan(0, 20)).AsSpan(0, 8).CopyTo(head.AsSpan(20));
        return head;
    }

    /// <summary>Reads it.</summary>
    /// <exception cref="StateFileException">It is not exactly what <see cref="Encode"/> writes.</exception>
    public static SavedState Decode(ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderBytes || !file.StartsWith(Magic))
        {
            throw new StateFileException("is no state file, or is cut off");
        }
        var format = BinaryPrimitives.ReadInt32LittleEndian(file[8..]);
        if (format != Format)
        {
            throw new StateFileException($"has format {format}; this version reads format {Format}");
        }
        var body = file[HeaderBytes..];
        if (!SHA256.HashData(file[..20]).AsSpan(0, 8).SequenceEqual(file.Slice(20, 8)) || !SHA256.HashData(body).AsSpan().SequenceEqual(file.Slice(ConfirmationBytes, 32)))
        {
            throw new StateFileException("is damaged: its checksum does not fit");
        }
        try
        {
            var confirmed = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(file[12..]));
            var node = Text(ref body);
            var source = Text(ref body);
            var response = DeltaDiscoveryResponse.Parser.ParseFrom(body);
            var names = new HashSet<string>(StringComparer.Ordinal);
            var resources = new List<SavedResource>(response.Resources.Count);
            foreach (var resource in response.Resources)
            {
                if (resource.Resource_ is null || !names.Add(resource.Name))
                {
                    throw new StateFileException("holds a resource twice, or an empty one");
                }
                resources.Add(new SavedResource(resource.Name, resource.Version, resource.Resource_));
            }
            return new SavedState(response.TypeUrl, node, source, response.SystemVersionInfo, confirmed, resources);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or ArgumentOutOfRangeException or DecoderFallbackException)
        {
            throw new StateFileException("is damaged: " + e.Message, e);
        }
    }

    private static string Text(ref ReadOnlySpan<byte> body)
    {
        var length = body.Length < 2 ? int.MaxValue : BinaryPrimitives.ReadUInt16LittleEndian(body);
        if (length > body.Length - 2)
        {
            throw new StateFileException("is damaged: a text is longer than the file");
        }
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(body.Slice(2, length));
        body = body[(2 + length)..];
        return text;
    }
}
