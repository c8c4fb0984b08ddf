using System;
using System.Collections.Generic;
using System.Linq;

namespace Postern.Tests.Structure;

/// <summary>The size budget of source files: half of them are small, hardly any is long, none is huge.</summary>
public sealed class SizeTests
{
    private const int Median = 120;
    private const int Percentile95 = 450;
    private const int HardCap = 900;

    [Fact]
    public void SourceFiles_KeepTheSizeBudget()
    {
        var sizes = Repository.Sources().Select(file => (Lines: Repository.Lines(file).Length, file)).Order().ToList();
        Assert.True(sizes.Count > 100, $"only {sizes.Count} source files were found below {Repository.Root}");
        Assert.InRange(sizes[sizes.Count / 2].Lines, 1, Median);
        Assert.InRange(sizes[sizes.Count * 95 / 100].Lines, 1, Percentile95);
        Findings.None(sizes.Where(size => size.Lines > HardCap).Select(size => $"{size.file}: {size.Lines} lines"));
    }
}
