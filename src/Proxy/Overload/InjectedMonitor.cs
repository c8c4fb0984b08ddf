using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO;

namespace Postern.Proxy.Overload;

/// <summary><c>injected_resource</c>: a file holds the pressure. For tests, and for operators who measure with something of their own.</summary>
internal sealed class InjectedMonitor(string fileName) : IResourceMonitor
{
    private const int MaxBytes = 64;

    public bool TryRead(out double pressure, [NotNullWhen(false)] out string? problem)
    {
        pressure = 0;
        try
        {
            Span<byte> bytes = stackalloc byte[MaxBytes];
            using var file = File.OpenHandle(fileName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var count = RandomAccess.Read(file, bytes, 0);
            problem = double.TryParse(bytes[..count].Trim(" \t\r\n"u8), NumberStyles.Float, CultureInfo.InvariantCulture, out pressure) && pressure is >= 0 and <= 1
                ? null
                : $"{fileName} must hold a number from 0 to 1";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            problem = $"{fileName} cannot be read: {e.Message}";
        }
        return problem is null;
    }
}
