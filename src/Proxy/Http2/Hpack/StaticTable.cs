using System;

namespace Postern.Proxy.Http2.Hpack;

/// <summary>The static table (RFC 7541 appendix A); indexes count from 1.</summary>
internal static class StaticTable
{
    public const int Count = 61;

    private const int SlotMask = 127;

    private static readonly (byte[] Name, byte[] Value)[] Entries =
    [
        Row(":authority"), Row(":method", "GET"), Row(":method", "POST"), Row(":path", "/"), Row(":path", "/index.html"),
        Row(":scheme", "http"), Row(":scheme", "https"), Row(":status", "200"), Row(":status", "204"), Row(":status", "206"),
        Row(":status", "304"), Row(":status", "400"), Row(":status", "404"), Row(":status", "500"), Row("accept-charset"),
        Row("accept-encoding", "gzip, deflate"), Row("accept-language"), Row("accept-ranges"), Row("accept"), Row("access-control-allow-origin"),
        Row("age"), Row("allow"), Row("authorization"), Row("cache-control"), Row("content-disposition"),
        Row("content-encoding"), Row("content-language"), Row("content-length"), Row("content-location"), Row("content-range"),
        Row("content-type"), Row("cookie"), Row("date"), Row("etag"), Row("expect"),
        Row("expires"), Row("from"), Row("host"), Row("if-match"), Row("if-modified-since"),
        Row("if-none-match"), Row("if-range"), Row("if-unmodified-since"), Row("last-modified"), Row("link"),
        Row("location"), Row("max-forwards"), Row("proxy-authenticate"), Row("proxy-authorization"), Row("range"),
        Row("referer"), Row("refresh"), Row("retry-after"), Row("server"), Row("set-cookie"),
        Row("strict-transport-security"), Row("transfer-encoding"), Row("user-agent"), Row("vary"), Row("via"),
        Row("www-authenticate"),
    ];

    private static readonly byte[] Slots = BuildSlots(); // name's hash → index of the first entry of that name; 0 is free

    /// <summary>Name of entry 1 to 61.</summary>
    public static ReadOnlySpan<byte> Name(int index) => Entries[index - 1].Name;

    /// <summary>Value of entry 1 to 61, maybe empty.</summary>
    public static ReadOnlySpan<byte> Value(int index) => Entries[index - 1].Value;

    /// <summary>First entry of that name, or 0.</summary>
    public static int Find(ReadOnlySpan<byte> name, ulong hash)
    {
        for (var slot = (int)(hash & SlotMask); Slots[slot] is var index and not 0; slot = (slot + 1) & SlotMask)
        {
            if (name.SequenceEqual(Name(index)))
            {
                return index;
            }
        }
        return 0;
    }

    /// <summary>Entry of that name and value, where <paramref name="first"/> is the name's first; or 0. Entries of one name stand together.</summary>
    public static int FindValue(int first, ReadOnlySpan<byte> value)
    {
        var name = Entries[first - 1].Name;
        for (var i = first; i <= Count && Name(i).SequenceEqual(name); i++)
        {
            if (value.SequenceEqual(Value(i)) && !value.IsEmpty)
            {
                return i;
            }
        }
        return 0;
    }

    private static (byte[] Name, byte[] Value) Row(string name, string value = "") =>
        (System.Text.Encoding.ASCII.GetBytes(name), System.Text.Encoding.ASCII.GetBytes(value));

    private static byte[] BuildSlots()
    {
        var slots = new byte[SlotMask + 1];
        for (var i = 1; i <= Count; i++)
        {
            if (i > 1 && Name(i).SequenceEqual(Name(i - 1)))
            {
                continue;
            }
            var slot = (int)(FieldHash.Of(Name(i), 0) & SlotMask);
            while (slots[slot] != 0)
            {
                slot = (slot + 1) & SlotMask;
            }
            slots[slot] = (byte)i;
        }
        return slots;
    }
}
