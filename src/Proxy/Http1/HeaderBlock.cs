using System;
using System.Buffers;
using Postern.Policy;

namespace Postern.Proxy.Http1;

/// <summary>
/// Header lines over one character buffer: names and values are ranges, so that a head is kept, matched, logged and forwarded without a string.
/// Owned by one connection and refilled for each message.
/// </summary>
internal class HeaderBlock : IHttpHeaders
{
    private const int FirstSlots = 32;
    private const int FirstText = 512;

    private char[] text = []; // Latin-1 widening of the head, then whatever was appended; rented while there is a message
    private Slot[] slots = [];
    private int textLength;

    public int Count { get; private set; }

    public ReadOnlySpan<char> NameAt(int index) => text.AsSpan(slots[index].NameStart, slots[index].NameLength);

    public ReadOnlySpan<char> ValueAt(int index) => text.AsSpan(slots[index].ValueStart, slots[index].ValueLength);

    /// <summary>HPACK: the line came as never to be indexed, and goes on so (RFC 7541 §6.2.3).</summary>
    public bool NeverIndexedAt(int index) => slots[index].NeverIndexed;

    /// <summary>Value of the first line of that name.</summary>
    public bool TryFind(ReadOnlySpan<char> name, out ReadOnlySpan<char> value)
    {
        for (var i = 0; i < Count; i++)
        {
            if (NameIs(i, name))
            {
                value = ValueAt(i);
                return true;
            }
        }
        value = default;
        return false;
    }

    public bool NameIs(int index, ReadOnlySpan<char> name) =>
        slots[index].NameLength == name.Length && NameAt(index).Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Removes every line of that name.</summary>
    public void RemoveHeader(string name) => RemoveHeader(name.AsSpan());

    public void RemoveHeader(ReadOnlySpan<char> name)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (!NameIs(i, name))
            {
                slots[kept++] = slots[i];
            }
        }
        Count = kept;
    }

    public void AppendHeader(string name, string value) => AppendHeader(name, value.AsSpan());

    /// <summary>Appends a line; the value may not be a part of this block.</summary>
    public void AppendHeader(string name, ReadOnlySpan<char> value)
    {
        var nameStart = AppendText(name);
        var valueStart = AppendText(value);
        AddSlot(new Slot(nameStart, name.Length, valueStart, value.Length));
    }

    /// <summary>Appends a line as it was on the wire.</summary>
    public void AppendField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed = false)
    {
        var nameStart = AppendText(name);
        var valueStart = AppendText(value);
        AddSlot(new Slot(nameStart, name.Length, valueStart, value.Length) { NeverIndexed = neverIndexed });
    }

    /// <summary>One line goes on: behind what it says comes this. Text that is never read again stays behind until the next message.</summary>
    internal void ExtendValue(int index, ReadOnlySpan<byte> more, bool neverIndexed)
    {
        var (start, length) = (slots[index].ValueStart, slots[index].ValueLength);
        var to = CopyText(start, length);
        AppendText(more);
        slots[index] = slots[index] with { ValueStart = to, ValueLength = length + more.Length, NeverIndexed = slots[index].NeverIndexed || neverIndexed };
    }

    /// <summary>The first line of that name takes the value, the others go; appended when there was none.</summary>
    public void SetHeader(string name, string value) => SetHeader(name, value.AsSpan());

    /// <inheritdoc cref="SetHeader(string, string)"/>
    public void SetHeader(string name, ReadOnlySpan<char> value)
    {
        for (var i = 0; i < Count; i++)
        {
            if (!NameIs(i, name))
            {
                continue;
            }
            var first = slots[i] with { ValueStart = AppendText(value), ValueLength = value.Length };
            var at = i;
            RemoveHeader(name);
            AddSlot(default);
            Array.Copy(slots, at, slots, at + 1, Count - 1 - at);
            slots[at] = first;
            return;
        }
        AppendHeader(name, value);
    }

    /// <summary>Adds to a list: the last line of that name gets <c>, value</c> behind what it says; appended when there is none.</summary>
    public void AppendToList(string name, ReadOnlySpan<char> value)
    {
        for (var i = Count - 1; i >= 0; i--)
        {
            if (!NameIs(i, name))
            {
                continue;
            }
            var (start, length) = (slots[i].ValueStart, slots[i].ValueLength);
            var comma = length == 0 ? "" : ", ";
            var to = Reserve(length + comma.Length + value.Length);
            TextAt(start, length).CopyTo(text.AsSpan(to));
            comma.CopyTo(text.AsSpan(to + length));
            value.CopyTo(text.AsSpan(to + length + comma.Length));
            slots[i] = slots[i] with { ValueStart = to, ValueLength = length + comma.Length + value.Length };
            return;
        }
        AppendHeader(name, value);
    }

    /// <summary>Removes every line whose name the test picks.</summary>
    public void RemoveHeaders(Func<ReadOnlySpan<char>, bool> test)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (!test(NameAt(i)))
            {
                slots[kept++] = slots[i];
            }
        }
        Count = kept;
    }

    /// <summary>Drops everything; lines come one by one.</summary>
    public void Clear() => Load([]);

    /// <summary>Gives the memory back until the next message: an idle connection holds no head.</summary>
    public void Release()
    {
        Count = 0;
        textLength = 0;
        Return(ref text);
        Return(ref slots);
    }

    /// <summary>Drops everything and takes the bytes of a new head.</summary>
    protected void Load(ReadOnlySpan<byte> head)
    {
        Count = 0;
        textLength = head.Length;
        if (text.Length < head.Length)
        {
            Return(ref text);
            text = ArrayPool<char>.Shared.Rent(Math.Max(head.Length, FirstText));
        }
        System.Text.Encoding.Latin1.GetChars(head, text);
    }

    protected void AddLine(int nameStart, int nameLength, int valueStart, int valueLength) =>
        AddSlot(new Slot(nameStart, nameLength, valueStart, valueLength));

    protected ReadOnlySpan<char> TextAt(int start, int length) => text.AsSpan(start, length);

    private void AddSlot(Slot slot)
    {
        if (Count == slots.Length)
        {
            Grow(ref slots, Math.Max(FirstSlots, Count * 2), Count);
        }
        slots[Count++] = slot;
    }

    /// <summary>Appends text that belongs to no line yet; returns where it stands.</summary>
    protected int AppendText(ReadOnlySpan<char> value)
    {
        var start = Reserve(value.Length);
        value.CopyTo(text.AsSpan(start));
        return start;
    }

    /// <inheritdoc cref="AppendText(ReadOnlySpan{char})"/>
    protected int AppendText(ReadOnlySpan<byte> value)
    {
        var start = Reserve(value.Length);
        System.Text.Encoding.Latin1.GetChars(value, text.AsSpan(start));
        return start;
    }

    /// <summary>Appends text of this block once more; returns where the copy stands.</summary>
    protected int CopyText(int start, int length)
    {
        var to = Reserve(length);
        TextAt(start, length).CopyTo(text.AsSpan(to));
        return to;
    }

    private int Reserve(int length)
    {
        var start = textLength;
        if (text.Length - start < length)
        {
            Grow(ref text, Math.Max(Math.Max(text.Length * 2, start + length), FirstText), start);
        }
        textLength += length;
        return start;
    }

    private static void Grow<T>(ref T[] array, int size, int used)
    {
        var larger = ArrayPool<T>.Shared.Rent(size);
        array.AsSpan(0, used).CopyTo(larger);
        Return(ref array);
        array = larger;
    }

    private static void Return<T>(ref T[] array)
    {
        if (array.Length > 0)
        {
            var old = array;
            array = [];
            ArrayPool<T>.Shared.Return(old);
        }
    }

    private readonly record struct Slot(int NameStart, int NameLength, int ValueStart, int ValueLength)
    {
        public bool NeverIndexed { get; init; }
    }
}
