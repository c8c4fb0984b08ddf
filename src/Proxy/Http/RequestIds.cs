using System;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http;

/// <summary>What a connection manager does about x-request-id.</summary>
/// <param name="Generates"><c>generate_request_id</c>: a request without one gets a random UUID.</param>
/// <param name="KeepsForeign"><c>preserve_external_request_id</c>; without it a client from outside never brings its own.</param>
/// <param name="Answers"><c>always_set_request_id_in_response</c>.</param>
internal readonly record struct RequestIds(bool Generates, bool KeepsForeign, bool Answers)
{
    /// <summary>The header.</summary>
    public const string Header = "x-request-id";

    /// <summary>Gives the request its id.</summary>
    public void Apply(RequestHead head, bool fromOutside)
    {
        if (!Generates)
        {
            return;
        }
        var replaces = fromOutside && !KeepsForeign;
        if (replaces || !head.TryFind(Header, out _))
        {
            Span<char> id = stackalloc char[36];
            Guid.NewGuid().TryFormat(id, out _); // version 4
            head.SetHeader(Header, id);
        }
    }
}
