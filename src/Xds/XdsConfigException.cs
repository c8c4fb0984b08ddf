using System;

namespace Postern.Xds;

/// <summary>
/// A configuration that is refused as a whole. The message is one line: <c>FILE:LINE:COL: PATH: what is wrong; how to mend</c>,
/// without the parts that are not known.
/// </summary>
public sealed class XdsConfigException : Exception
{
    /// <summary>Creates it.</summary>
    /// <param name="path">Where in the configuration, like <c>static_resources.listeners[0].name</c>; empty for the whole.</param>
    /// <param name="reason">What is wrong and how to mend it, one line.</param>
    /// <param name="fileName">The file, or null.</param>
    /// <param name="line">1-based, 0 when unknown.</param>
    /// <param name="column">1-based, 0 when unknown.</param>
    /// <param name="inner">The cause, or null.</param>
    public XdsConfigException(string path, string reason, string? fileName = null, int line = 0, int column = 0, Exception? inner = null)
        : base(Compose(path, reason, fileName, line, column), inner)
    {
        Path = path;
        Reason = reason;
        FileName = fileName;
        Line = line;
        Column = column;
    }

    internal XdsConfigException(Text.ConfigPath path, string reason)
        : this(path.ToString(), reason) => ConfigPath = path;

    /// <summary>Where in the configuration; empty for the whole.</summary>
    public string Path { get; }

    /// <summary>What is wrong and how to mend it.</summary>
    public string Reason { get; }

    /// <summary>The file, or null.</summary>
    public string? FileName { get; }

    /// <summary>1-based, 0 when unknown.</summary>
    public int Line { get; }

    /// <summary>1-based, 0 when unknown.</summary>
    public int Column { get; }

    internal Text.ConfigPath? ConfigPath { get; }

    private static string Compose(string path, string reason, string? fileName, int line, int column)
    {
        var position = line > 0 ? $"{line}:{column}: " : "";
        var file = fileName is null ? "" : line > 0 ? fileName + ":" : fileName + ": ";
        return file + position + (path.Length == 0 ? "" : path + ": ") + reason;
    }
}
