using System;
using Postern.Policy.Matching;

namespace Postern.Policy.Http;

/// <summary>
/// A header name that policy looks for. <c>host</c> is another name of <c>:authority</c>, in every HTTP version: Envoy keeps one entry
/// for both, so a rule on either sees the same text. An empty pseudo header counts as missing (HTTP/1.0 without Host).
/// </summary>
internal readonly struct HeaderField
{
    private enum Source
    {
        Line,
        Method,
        Path,
        Authority,
        Scheme,
    }

    private readonly Source source;

    public HeaderField(string name)
    {
        Name = WireText.From(name.ToLowerInvariant());
        source = Name switch
        {
            ":method" => Source.Method,
            ":path" => Source.Path,
            ":authority" or "host" => Source.Authority,
            ":scheme" => Source.Scheme,
            _ => Source.Line,
        };
    }

    /// <summary>Lower case.</summary>
    public string Name { get; }

    public bool IsPseudo => source != Source.Line || Name.StartsWith(':');

    /// <summary>Finds the value; several lines are joined with "," into <paramref name="buffer"/>. Returns false when there is none.</summary>
    public bool TryGet(IHttpPolicyRequest request, ref JoinBuffer buffer, out ReadOnlySpan<char> value)
    {
        switch (source)
        {
            case Source.Method:
                value = request.Method;
                return !value.IsEmpty;
            case Source.Path:
                value = request.Path;
                return !value.IsEmpty;
            case Source.Authority:
                value = request.Authority;
                return !value.IsEmpty;
            case Source.Scheme:
                value = request.Scheme;
                return !value.IsEmpty;
            default:
                return TryGetLines(request, ref buffer, out value);
        }
    }

    private bool TryGetLines(IHttpPolicyRequest request, ref JoinBuffer buffer, out ReadOnlySpan<char> value)
    {
        value = default;
        var count = request.Count;
        var first = -1;
        var joined = false;
        for (var i = 0; i < count; i++)
        {
            var name = request.NameAt(i);
            if (name.Length != Name.Length || !AsciiCase.Equal(name, Name))
            {
                continue;
            }
            if (first < 0)
            {
                first = i;
                continue;
            }
            if (!joined)
            {
                joined = true;
                buffer.Start(request.ValueAt(first));
            }
            buffer.Append(request.ValueAt(i));
        }
        if (first < 0)
        {
            return false;
        }
        value = joined ? buffer.Written : request.ValueAt(first);
        return true;
    }
}
