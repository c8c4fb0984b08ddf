using System;
using System.Collections.Generic;
using System.IO;
using Google.Protobuf;

namespace Postern.Xds.Text;

/// <summary>A configuration file as nodes: turns it into messages, and the paths of errors into lines.</summary>
internal sealed class ConfigDocument
{
    private readonly string fileName;
    private readonly ConfigNode root;

    private ConfigDocument(string fileName, ConfigNode root)
    {
        this.fileName = fileName;
        this.root = root;
    }

    /// <summary>Reads a file of at most <see cref="ConfigTextLimits.MaxBytes"/>.</summary>
    public static byte[] ReadBytes(string path, ConfigTextLimits limits)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            // Devices and pipes have no length to trust: read up to the bound and see whether there is more.
            using var buffer = new MemoryStream();
            var chunk = new byte[64 * 1024];
            int read;
            while ((read = stream.Read(chunk)) > 0)
            {
                if (buffer.Length + read > limits.MaxBytes)
                {
                    throw new XdsConfigException("", $"larger than {limits.MaxBytes} bytes; split it", path);
                }
                buffer.Write(chunk, 0, read);
            }
            return buffer.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new XdsConfigException("", "cannot be read: " + Printable.Clip(e.Message), path, inner: e);
        }
    }

    /// <summary>Parses a text: JSON when the name ends in .json, or in no YAML suffix and the text begins with a brace.</summary>
    public static ConfigDocument Parse(ReadOnlySpan<byte> bytes, string fileName, ConfigTextLimits limits)
    {
        try
        {
            if (bytes.Length > limits.MaxBytes)
            {
                throw new XdsConfigException("", $"larger than {limits.MaxBytes} bytes; split it");
            }
            // A byte order mark says UTF-8, which is all that is read anyway.
            bytes = bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
            var node = IsJson(bytes, fileName) ? JsonTextReader.Read(bytes, limits) : YamlTextReader.Read(bytes, limits);
            return new ConfigDocument(fileName, node);
        }
        catch (XdsConfigException e)
        {
            throw new XdsConfigException(e.Path, e.Reason, fileName, e.Line, e.Column, e.InnerException);
        }
    }

    /// <summary>Reads the whole document as a message and converts it; errors of both carry the file's lines.</summary>
    public TResult Read<TMessage, TResult>(Func<TMessage, TResult> convert)
        where TMessage : IMessage<TMessage>, new()
    {
        try
        {
            return convert(ProtoJson.Read<TMessage>(root, ConfigPath.Empty));
        }
        catch (XdsConfigException e) when (e.FileName is null)
        {
            var (line, column) = Locate(root, e.ConfigPath);
            throw new XdsConfigException(e.Path, e.Reason, fileName, line, column, e.InnerException);
        }
    }

    /// <summary>Follows the path as far as the text goes: an error about a field that is missing points at what should hold it.</summary>
    public static (int Line, int Column) Locate(ConfigNode root, ConfigPath? path)
    {
        var at = (root.Line, root.Column);
        var node = root;
        foreach (var (name, index) in path?.Segments() ?? [])
        {
            ConfigNode? next = null;
            if (index >= 0)
            {
                if (index < node.Items.Count)
                {
                    next = node.Items[index];
                    at = (next.Line, next.Column);
                }
            }
            else
            {
                foreach (var member in node.Members)
                {
                    if (member.Name == name || SameField(member.Name, name))
                    {
                        next = member.Value;
                        at = (member.Line, member.Column);
                        break;
                    }
                }
            }
            if (next is null)
            {
                break;
            }
            node = next;
        }
        return at;
    }

    /// <summary>Every document of a text, for folders in which one file may hold several. JSON has one. Errors carry the file's name.</summary>
    public static IReadOnlyList<ConfigNode> ParseAll(ReadOnlySpan<byte> bytes, string fileName, ConfigTextLimits limits)
    {
        try
        {
            bytes = bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
            return IsJson(bytes, fileName) ? [JsonTextReader.Read(bytes, limits)] : YamlTextReader.ReadAll(bytes, limits);
        }
        catch (XdsConfigException e)
        {
            throw new XdsConfigException(e.Path, e.Reason, fileName, e.Line, e.Column, e.InnerException);
        }
    }

    // useNphds for use_nphds.
    private static bool SameField(string written, string original)
    {
        var i = 0;
        for (var j = 0; j < original.Length; j++)
        {
            var upper = false;
            if (original[j] == '_' && j + 1 < original.Length)
            {
                upper = true;
                j++;
            }
            if (i == written.Length || written[i] != (upper ? char.ToUpperInvariant(original[j]) : original[j]))
            {
                return false;
            }
            i++;
        }
        return i == written.Length;
    }

    private static bool IsJson(ReadOnlySpan<byte> bytes, string fileName)
    {
        if (fileName.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }
        if (fileName.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || fileName.EndsWith(".yml", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        var start = bytes.IndexOfAnyExcept(" \t\r\n"u8);
        return start >= 0 && bytes[start] == (byte)'{';
    }
}
