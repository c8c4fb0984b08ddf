using System;
using System.IO;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.core.v3.DataSource</c>: bytes of a secret. Errors never show them.</summary>
internal static class DataSources
{
    private const int MaxBytes = 1 << 20;

    /// <summary>The bytes, not empty. A file is read once, now.</summary>
    public static ByteString Read(DataSource? source, ConfigPath path)
    {
        var bytes = source?.SpecifierCase switch
        {
            DataSource.SpecifierOneofCase.InlineBytes => source.InlineBytes,
            DataSource.SpecifierOneofCase.InlineString => ByteString.CopyFromUtf8(source.InlineString),
            DataSource.SpecifierOneofCase.Filename => ReadFile(source.Filename, path.Field("filename")),
            _ => throw path.Error("needs one of filename, inline_bytes or inline_string"),
        };
        return bytes.Length switch
        {
            0 => throw path.Error("is empty"),
            > MaxBytes => throw path.Error($"is longer than {MaxBytes} bytes"),
            _ => bytes,
        };
    }

    private static ByteString ReadFile(string name, ConfigPath path)
    {
        try
        {
            using var stream = new FileStream(name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var buffer = new byte[MaxBytes + 1];
            return ByteString.CopyFrom(buffer, 0, stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // Without the name: who mixes up filename and inline_string has written the secret there.
            throw path.Error(e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : "the file cannot be read");
        }
    }
}
