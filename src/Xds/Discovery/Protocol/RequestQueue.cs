using System;
using System.Collections.Generic;
using Envoy.Config.Core.V3;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one stream, owned by its multiplexer: which request goes next. Answers before other requests, types in the order they were
/// subscribed to, the node on the first message.
/// </summary>
internal sealed class RequestQueue<TRequest, TResponse>(IVariant<TRequest, TResponse> variant, Node node, bool nodeOnFirstMessageOnly)
    where TRequest : class
{
    private readonly List<TypeState<TRequest, TResponse>> states = [];
    private bool isFirst = true;

    public IReadOnlyList<TypeState<TRequest, TResponse>> States => states;

    public void Add(TypeState<TRequest, TResponse> state) => states.Add(state);

    public void StartStream()
    {
        isFirst = true;
        foreach (var state in states)
        {
            state.StartStream();
        }
    }

    /// <summary>The next request, or null.</summary>
    /// <param name="isPaused">Changes of such types wait; answers go out in any case, with the names of the last request.</param>
    public TRequest? Next(Func<ResourceType, bool> isPaused)
    {
        foreach (var state in states)
        {
            if (state.NextAnswer() is { } answer)
            {
                return Stamp(answer);
            }
        }
        foreach (var state in states)
        {
            if (!isPaused(state.Type) && state.NextRequest() is { } request)
            {
                return Stamp(request);
            }
        }
        return null;
    }

    private TRequest Stamp(TRequest request)
    {
        if (isFirst || !nodeOnFirstMessageOnly)
        {
            variant.SetNode(request, node);
        }
        isFirst = false;
        return request;
    }
}
