using System;
using System.Globalization;
using System.Threading.Tasks;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Transport;

/// <summary>Frames a body of HTTP/1 that goes out: as it is, or in chunks with trailers behind them.</summary>
internal static class BodyWriter
{
    /// <summary>Appends a piece, and with <paramref name="end"/> the end. Small pieces wait for a flush. False: the peer is gone.</summary>
    /// <param name="chunked">Whether it goes in chunks.</param>
    /// <param name="data">May be empty.</param>
    /// <param name="end">Nothing follows: everything goes out.</param>
    /// <param name="trailers">Sent only with chunks.</param>
    /// <param name="output">Where to.</param>
    public static ValueTask<bool> SendAsync(bool chunked, ReadOnlyMemory<byte> data, bool end, HeaderBlock? trailers, SendBuffer output)
    {
        if (chunked && data.Length > 0)
        {
            var room = output.Reserve(10); // 8 hex digits and CRLF
            data.Length.TryFormat(room, out var digits, "x", CultureInfo.InvariantCulture);
            "\r\n"u8.CopyTo(room[digits..]);
            output.Advance(digits + 2);
        }
        var send = output.SendAsync(data);
        if (!send.IsCompletedSuccessfully)
        {
            return FinishSlowAsync(send, chunked && data.Length > 0, chunked, end, trailers, output);
        }
        if (!send.Result)
        {
            return new ValueTask<bool>(false);
        }
        Close(chunked && data.Length > 0, chunked, end, trailers, output);
        return end ? output.FlushAsync() : new ValueTask<bool>(true);
    }

    private static void Close(bool chunk, bool chunked, bool end, HeaderBlock? trailers, SendBuffer output)
    {
        if (chunk)
        {
            output.Append("\r\n"u8);
        }
        if (!end || !chunked)
        {
            return;
        }
        output.Append("0\r\n"u8);
        if (trailers is not null)
        {
            ResponseWriter.WriteLines(trailers, output);
        }
        output.Append("\r\n"u8);
    }

    private static async ValueTask<bool> FinishSlowAsync(ValueTask<bool> send, bool chunk, bool chunked, bool end, HeaderBlock? trailers, SendBuffer output)
    {
        if (!await send.ConfigureAwait(false))
        {
            return false;
        }
        Close(chunk, chunked, end, trailers, output);
        return !end || await output.FlushAsync().ConfigureAwait(false);
    }
}
