using System;
using System.Buffers.Binary;
using Postern.Filters.Network.Bytes;

namespace Postern.Filters.Network.WebSocket;

/// <summary>
/// Reads frames (RFC 6455 §5.2), however they are cut. Payloads of text, binary and continuation frames go on at once, unmasked, so a frame of any length costs no memory;
/// a control frame is kept until it is whole. Masked and bare frames are both taken (peers of either side send them). Refused: reserved bits and opcodes, fragmented or long
/// control frames, continuations of nothing, a message within a message, lengths over 2^63.
/// </summary>
public sealed class FrameReader
{
    private const int MaxControl = 125; // RFC 6455 §5.5
    private const int MaxHeader = 14;

    private readonly byte[] header = new byte[MaxHeader];
    private readonly byte[] control = new byte[MaxControl];
    private int headerLength;
    private bool inPayload;
    private bool inMessage; // a fragment came that was not the last
    private bool over;
    private int opcode;
    private bool masked;
    private uint key;
    private long length;
    private long at; // bytes of the payload that were read

    /// <summary>Payload of the control frame just read, unmasked.</summary>
    public ReadOnlySpan<byte> Control => control.AsSpan(0, (int)length);

    /// <summary>Why the frame is not acceptable.</summary>
    public string Error { get; private set; } = "";

    /// <summary>Nothing of a frame has been read that is not whole.</summary>
    public bool IsBetweenFrames => !inPayload && headerLength == 0;

    /// <summary>Reads on until something of interest came or the input is used up.</summary>
    /// <param name="input">Moved past what was read.</param>
    /// <param name="data">Takes payloads.</param>
    public FrameEvent Read(ref ReadOnlySpan<byte> input, IByteOutput data)
    {
        while (!over)
        {
            if (!inPayload)
            {
                if (!ReadHeader(ref input))
                {
                    return FrameEvent.None;
                }
                if (Check() is { } error)
                {
                    Error = error;
                    over = true;
                    return FrameEvent.Error;
                }
            }
            ReadPayload(ref input, data);
            if (at < length)
            {
                return FrameEvent.None;
            }
            inPayload = false;
            headerLength = 0;
            switch (opcode)
            {
                case Opcode.Ping:
                    return FrameEvent.Ping;
                case Opcode.Pong:
                    return FrameEvent.Pong;
                case Opcode.Close:
                    over = true;
                    return FrameEvent.Close;
            }
        }
        input = default;
        return FrameEvent.None;
    }

    private bool IsControl => opcode >= Opcode.Close;

    private bool ReadHeader(ref ReadOnlySpan<byte> input)
    {
        while (true)
        {
            var needed = HeaderNeeded();
            var count = Math.Min(needed - headerLength, input.Length);
            input[..count].CopyTo(header.AsSpan(headerLength));
            headerLength += count;
            input = input[count..];
            if (headerLength < needed)
            {
                return false;
            }
            if (needed == HeaderNeeded())
            {
                break;
            }
        }
        opcode = header[0] & 0x0f;
        masked = (header[1] & 0x80) != 0;
        length = (header[1] & 0x7f) switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(2)),
            127 => BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(2)),
            var small => small,
        };
        key = masked ? BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(headerLength - FrameMask.KeyLength)) : 0;
        at = 0;
        inPayload = true;
        return true;
    }

    private int HeaderNeeded()
    {
        if (headerLength < 2)
        {
            return 2;
        }
        var extra = (header[1] & 0x7f) switch { 126 => 2, 127 => 8, _ => 0 };
        return 2 + extra + ((header[1] & 0x80) != 0 ? FrameMask.KeyLength : 0);
    }

    private string? Check()
    {
        var fin = (header[0] & 0x80) != 0;
        if ((header[0] & 0x70) != 0)
        {
            return "reserved bits are set, but no extension was agreed on";
        }
        if (opcode is > Opcode.Binary and < Opcode.Close or > Opcode.Pong)
        {
            return $"opcode {opcode} is reserved";
        }
        if (length < 0)
        {
            return "a frame longer than 2^63 bytes";
        }
        if (IsControl)
        {
            return !fin ? "a control frame is fragmented" : length > MaxControl ? $"a control frame is longer than {MaxControl} bytes" : null;
        }
        if (inMessage != (opcode == Opcode.Continuation))
        {
            return inMessage ? "a message begins within another" : "a continuation of nothing";
        }
        inMessage = !fin;
        return null;
    }

    private void ReadPayload(ref ReadOnlySpan<byte> input, IByteOutput data)
    {
        var count = (int)Math.Min(length - at, input.Length);
        if (count == 0)
        {
            return;
        }
        var target = IsControl ? control.AsSpan((int)at) : data.Reserve(count);
        if (masked)
        {
            FrameMask.Apply(key, at, input[..count], target);
        }
        else
        {
            input[..count].CopyTo(target);
        }
        if (!IsControl)
        {
            data.Advance(count);
        }
        at += count;
        input = input[count..];
    }
}
