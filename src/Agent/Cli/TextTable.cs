using System;
using System.Collections.Generic;
using System.IO;

namespace Postern.Agent.Cli;

/// <summary>Rows in aligned columns; the last one is not padded. A cell of several lines goes on below itself.</summary>
/// <param name="header">Column names.</param>
public sealed class TextTable(params string[] header)
{
    private readonly List<string[][]> rows = [[.. Array.ConvertAll(header, cell => (string[])[cell])]];

    /// <summary>Adds a row with as many cells as the header has; a line break within a cell begins a new line.</summary>
    public void Add(params string[] cells) => rows.Add(Array.ConvertAll(cells, cell => cell.Split('\n')));

    /// <summary>Writes header and rows.</summary>
    public void WriteTo(TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var widths = new int[header.Length];
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++)
            {
                foreach (var line in row[i])
                {
                    widths[i] = Math.Max(widths[i], line.Length);
                }
            }
        }
        foreach (var row in rows)
        {
            var height = 0;
            foreach (var cell in row)
            {
                height = Math.Max(height, cell.Length);
            }
            for (var line = 0; line < height; line++)
            {
                var text = string.Empty;
                for (var i = 0; i < row.Length; i++)
                {
                    text += (line < row[i].Length ? row[i][line] : string.Empty).PadRight(widths[i] + 3);
                }
                output.WriteLine(text.TrimEnd());
            }
        }
    }
}
