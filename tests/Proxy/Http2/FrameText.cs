using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

namespace Postern.Tests.Proxy.Http2;

/// <summary>
/// Frames as text, both ways. <c>TYPE key=value ...</c>: <c>stream</c>, <c>flags</c> (names joined by |, or 0x..), <c>pad</c>, <c>code</c>, <c>last</c>,
/// <c>increment</c>, <c>text</c>, <c>size</c> (so many bytes x), <c>hex</c>; of HEADERS and CONTINUATION every other word is <c>name=value</c>; of SETTINGS a number or name and its value.
/// </summary>
internal static class FrameText
{
    private static readonly string[] Types = ["DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"];

    private static readonly string[] Codes =
    [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
        "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ];

    private static readonly string[] SettingNames = ["", "HEADER_TABLE_SIZE", "ENABLE_PUSH", "MAX_CONCURRENT_STREAMS", "INITIAL_WINDOW_SIZE", "MAX_FRAME_SIZE", "MAX_HEADER_LIST_SIZE", "", "ENABLE_CONNECT_PROTOCOL"];

    private static readonly HashSet<string> Keys = ["stream", "flags", "pad", "code", "last", "increment", "text", "size", "hex", "type", "length"];

    /// <summary>The bytes of one line; PREFACE and RAW stand for themselves.</summary>
    public static byte[] Encode(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var values = Values(words);
        if (words[0] == "PREFACE")
        {
            return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
        }
        if (words[0] == "RAW")
        {
            return values.TryGetValue("hex", out var hex) ? Convert.FromHexString(hex) : Encoding.ASCII.GetBytes(Unescape(values["text"]));
        }
        var type = words[0] == "FRAME" ? (int)Number(values["type"]) : Array.IndexOf(Types, words[0]);
        var payload = new MemoryStream();
        switch (words[0])
        {
            case "HEADERS" or "CONTINUATION" when !values.ContainsKey("hex") && !values.ContainsKey("size"):
                foreach (var word in words.Skip(1).Where(word => !Keys.Contains(Key(word))))
                {
                    WriteField(payload, Key(word), Unescape(word[(Key(word).Length + 1)..]));
                }
                break;
            case "RST_STREAM" when !values.ContainsKey("hex"):
                Write32(payload, Code(values["code"]));
                break;
            case "GOAWAY" when !values.ContainsKey("hex"):
                Write32(payload, (uint)Number(values["last"]));
                Write32(payload, Code(values["code"]));
                break;
            case "WINDOW_UPDATE" when !values.ContainsKey("hex"):
                Write32(payload, (uint)Number(values["increment"]));
                break;
            case "PRIORITY" when !values.ContainsKey("hex"):
                payload.Write([0, 0, 0, 0, 16]);
                break;
            case "PING" when !values.ContainsKey("hex"):
                payload.Write("pingping"u8);
                break;
            case "SETTINGS" when !values.ContainsKey("hex"):
                foreach (var word in words.Skip(1).Where(word => word.Contains('=', StringComparison.Ordinal) && !Keys.Contains(Key(word))))
                {
                    var id = Array.IndexOf(SettingNames, Key(word)) is var known and > 0 ? known : (int)Number(Key(word));
                    payload.Write([(byte)(id >> 8), (byte)id]);
                    Write32(payload, (uint)Number(word[(Key(word).Length + 1)..]));
                }
                break;
            default:
                payload.Write(values.TryGetValue("hex", out var bytes) ? Convert.FromHexString(bytes)
                    : values.TryGetValue("text", out var text) ? Encoding.Latin1.GetBytes(Unescape(text))
                    : values.TryGetValue("size", out var size) ? Encoding.ASCII.GetBytes(new string('x', (int)Number(size)))
                    : []);
                break;
        }
        var flags = Flags(values.GetValueOrDefault("flags", words.Contains("ACK") ? "ACK" : "0x0"));
        var body = payload.ToArray();
        if ((flags & 0x20) != 0 && type == 1)
        {
            body = [0, 0, 0, (byte)Number(values.GetValueOrDefault("stream", "0")), 15, .. body]; // it depends on itself, which nobody minds any more
        }
        if (values.TryGetValue("pad", out var pad))
        {
            flags |= 0x8;
            body = [(byte)Number(pad), .. body, .. new byte[(int)Number(pad)]];
        }
        var length = values.TryGetValue("length", out var told) ? (int)Number(told) : body.Length;
        return Frame(type, flags, (uint)Number(values.GetValueOrDefault("stream", "0")), body, length);
    }

    /// <summary>A frame as it is on the wire.</summary>
    public static byte[] Frame(int type, int flags, uint stream, byte[] payload, int? length = null)
    {
        var told = length ?? payload.Length;
        return [(byte)(told >> 16), (byte)(told >> 8), (byte)told, (byte)type, (byte)flags, (byte)(stream >> 24), (byte)(stream >> 16), (byte)(stream >> 8), (byte)stream, .. payload];
    }

    /// <summary>What a frame says, as words.</summary>
    public static IReadOnlyList<string> Decode(int type, int flags, int stream, byte[] payload, Func<byte[], IEnumerable<string>> decodeBlock)
    {
        var name = type < Types.Length ? Types[type] : $"0x{type:x}";
        var words = new List<string> { name, $"stream={stream}", $"length={payload.Length}" };
        if ((flags & 1) != 0)
        {
            words.Add(name is "SETTINGS" or "PING" ? "ACK" : "END_STREAM");
        }
        switch (name)
        {
            case "DATA":
                words.Add("text=" + Encoding.Latin1.GetString(payload).Replace("\r\n", "\\r\\n", StringComparison.Ordinal).Replace(" ", "\\s", StringComparison.Ordinal));
                break;
            case "HEADERS" or "CONTINUATION":
                words.AddRange((flags & 4) != 0 ? decodeBlock(payload) : []);
                break;
            case "RST_STREAM":
                words.Add("code=" + CodeName(payload));
                break;
            case "GOAWAY":
                words.Add("last=" + BinaryPrimitives.ReadInt32BigEndian(payload));
                words.Add("code=" + CodeName(payload.AsSpan(4)));
                words.Add("debug=" + Encoding.ASCII.GetString(payload.AsSpan(8)));
                break;
            case "WINDOW_UPDATE":
                words.Add("increment=" + BinaryPrimitives.ReadInt32BigEndian(payload));
                break;
            case "PING":
                words.Add("hex=" + Convert.ToHexString(payload));
                break;
            case "SETTINGS":
                for (var i = 0; i + 6 <= payload.Length; i += 6)
                {
                    words.Add($"{SettingNames[payload[i + 1]]}={BinaryPrimitives.ReadUInt32BigEndian(payload.AsSpan(i + 2))}");
                }
                break;
        }
        return words;
    }

    /// <summary>A literal field without indexing and without Huffman (RFC 7541 §6.2.2).</summary>
    public static void WriteField(Stream block, string name, string value)
    {
        block.WriteByte(0);
        foreach (var text in new[] { name, value })
        {
            var bytes = Encoding.Latin1.GetBytes(text);
            if (bytes.Length < 127)
            {
                block.WriteByte((byte)bytes.Length);
            }
            else
            {
                block.WriteByte(127);
                var rest = bytes.Length - 127;
                for (; rest >= 128; rest >>= 7)
                {
                    block.WriteByte((byte)(rest & 127 | 128));
                }
                block.WriteByte((byte)rest);
            }
            block.Write(bytes);
        }
    }

    private static string Key(string word) => word.IndexOf('=', 1) is var at and > 0 ? word[..at] : word;

    private static Dictionary<string, string> Values(string[] words)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var word in words.Skip(1).Where(word => Keys.Contains(Key(word)) && word.Contains('=', StringComparison.Ordinal)))
        {
            values[Key(word)] = word[(Key(word).Length + 1)..];
        }
        return values;
    }

    // \s is a space, \r \n \0 are bytes, {A*100} is a repetition.
    private static string Unescape(string text)
    {
        var result = text.Replace("\\s", " ", StringComparison.Ordinal).Replace("\\r", "\r", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\0", "\0", StringComparison.Ordinal);
        for (var open = result.IndexOf('{', StringComparison.Ordinal); open >= 0; open = result.IndexOf('{', StringComparison.Ordinal))
        {
            var close = result.IndexOf('}', open);
            var parts = result[(open + 1)..close].Split('*');
            result = result[..open] + string.Concat(Enumerable.Repeat(parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture))) + result[(close + 1)..];
        }
        return result;
    }

    private static long Number(string text) => text.StartsWith("0x", StringComparison.Ordinal) ? long.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) : long.Parse(text, CultureInfo.InvariantCulture);

    private static uint Code(string name) => Array.IndexOf(Codes, name) is var at and >= 0 ? (uint)at : (uint)Number(name);

    private static string CodeName(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadUInt32BigEndian(payload) is var code && code < Codes.Length ? Codes[code] : $"0x{code:x}";

    private static int Flags(string text) => text.StartsWith("0x", StringComparison.Ordinal)
        ? (int)Number(text)
        : text.Split('|').Sum(flag => flag switch { "END_STREAM" or "ACK" => 1, "END_HEADERS" => 4, "PADDED" => 8, "PRIORITY" => 0x20, _ => throw new InvalidOperationException($"unknown flag {flag}") });

    private static void Write32(Stream to, uint value) => to.Write([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);
}
