using System;
using System.Collections.Generic;
using System.Text;
using Postern.Proxy.Http2;

namespace Postern.Tests.Proxy.Http2;

/// <summary>Keeps the fields of a block as lines, those that are never to be indexed with a mark in front.</summary>
internal sealed class FieldList(int wanted = int.MaxValue) : IFieldSink
{
    public List<string> Lines { get; } = [];

    public bool OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
    {
        Assert.True(Lines.Count < wanted, "a field came after the sink had said no");
        Lines.Add($"{(neverIndexed ? "!" : "")}{Encoding.Latin1.GetString(name)}: {Encoding.Latin1.GetString(value)}");
        return Lines.Count < wanted;
    }
}
