using System;
using System.Collections.Generic;
using System.Threading;
using Postern.Xds.Discovery.Protocol;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Streams;

/// <summary>What the configuration worker does with a response: decode, hand out, then ACK or NACK. All of it is applied or nothing.</summary>
internal sealed class ResponseWork<TRequest, TResponse>(ClientContext context, string source, Lock gate)
    where TRequest : class
{
    public void Process(TypeEntry<TRequest, TResponse> entry, ReceivedResponse received)
    {
        var state = entry.State;
        DecodedResponse response;
        IReadOnlyList<ResourceProblem> problems;
        try
        {
            response = entry.Decoder.Decode(received, state.Held);
            problems = response.Problems.Count > 0 ? response.Problems : Apply(entry, ref response);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            response = new DecodedResponse(received.Version, false, [], [], [], []);
            problems = [new ResourceProblem("", "", $"cannot be processed: {e.GetType().Name}: {Printable.Clip(e.Message)}")];
        }
        var now = context.Now;
        if (problems.Count > 0)
        {
            var error = ErrorDetail.Of(problems);
            lock (gate)
            {
                state.Reject(error);
                entry.Counters.OnRejected(now, received.Version, error.Message, problems);
            }
            context.Options.Log($"{source}: {state.Type} version {Printable.Quote(received.Version)} is refused, version {Printable.Quote(state.Version)} stays in force: {error.Message}");
            return;
        }
        lock (gate)
        {
            state.Held.Accept(response, now);
            state.Accept(response.Version);
            entry.Counters.OnAccepted(now);
            OnAnswered(entry, response);
        }
        context.Options.LogDebug($"{source}: {state.Type} version {Printable.Quote(response.Version)} is in force");
        foreach (var warning in response.Warnings)
        {
            context.Options.LogDebug($"{source}: {state.Type}: {warning}");
        }
    }

    /// <summary>A time to live is over: as if the control plane had removed them.</summary>
    public void Expire(TypeEntry<TRequest, TResponse> entry, IReadOnlyList<string> names)
    {
        var response = new DecodedResponse(entry.State.Version, false, [], names, [], []);
        var problems = Apply(entry, ref response);
        lock (gate)
        {
            foreach (var name in names)
            {
                entry.State.Held.Remove(name);
            }
        }
        var refused = problems.Count > 0 ? "; refused: " + ErrorDetail.Of(problems).Message : "";
        context.Options.Log($"{source}: {entry.State.Type}: the ttl of {names.Count} resources is over, first {Printable.Quote(names[0])}{refused}");
    }

    /// <summary>Gives a new subscription what is held already: the control plane will not send it again.</summary>
    public void Replay(TypeEntry<TRequest, TResponse> entry, Watch watch)
    {
        ResourceUpdate update;
        lock (gate)
        {
            update = UpdateRouting.Replay(watch, entry.State.Type, entry.State.Held, entry.State.Version, entry.State.Stream);
            if (watch.IsClosed || (update.Resources.Count == 0 && !(watch.IsWildcard && entry.State.Version.Length > 0)))
            {
                return;
            }
            foreach (var name in watch.Interests)
            {
                if (watch.IsWildcard || entry.State.Held.Find(name) is not null)
                {
                    watch.Fetch.OnAnswered(name);
                }
            }
        }
        var problems = ApplyTo(watch, update);
        if (problems.Count > 0)
        {
            context.Options.Log($"{source}: {entry.State.Type}: what is in force is refused by a new subscription: {ErrorDetail.Of(problems).Message}");
        }
    }

    private IReadOnlyList<ResourceProblem> Apply(TypeEntry<TRequest, TResponse> entry, ref DecodedResponse response)
    {
        List<(Watch Watch, ResourceUpdate Update)> parts;
        lock (gate)
        {
            response = entry.Filter(response);
            parts = UpdateRouting.Route(entry.State.Type, response, entry.State.Stream, entry.Watches);
        }
        for (var i = 0; i < parts.Count; i++)
        {
            var problems = ApplyTo(parts[i].Watch, parts[i].Update);
            if (problems.Count > 0)
            {
                // The others took their parts already: they get back what was in force.
                for (var j = i - 1; j >= 0; j--)
                {
                    TakeBack(entry, parts[j].Watch, parts[j].Update);
                }
                return problems;
            }
        }
        return [];
    }

    private void TakeBack(TypeEntry<TRequest, TResponse> entry, Watch watch, ResourceUpdate update)
    {
        var problems = ApplyTo(watch, UpdateRouting.Undo(watch, update, entry.State.Held, entry.State.Version));
        if (problems.Count > 0)
        {
            context.Options.Log($"{source}: {entry.State.Type}: a part of a refused update could not be taken back: {ErrorDetail.Of(problems).Message}");
        }
    }

    private static IReadOnlyList<ResourceProblem> ApplyTo(Watch watch, ResourceUpdate update)
    {
        if (watch.IsClosed)
        {
            return [];
        }
        try
        {
            return watch.Sink.Apply(update);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return [new ResourceProblem("", "", $"cannot be applied: {e.GetType().Name}: {Printable.Clip(e.Message)}")];
        }
    }

    private static void OnAnswered(TypeEntry<TRequest, TResponse> entry, DecodedResponse response)
    {
        foreach (var watch in entry.Watches.Wildcard)
        {
            watch.Fetch.OnAnswered(Interest.Wildcard);
        }
        if (!entry.Watches.HasNamed)
        {
            return;
        }
        foreach (var item in response.Entries)
        {
            Answer(entry, item.Item.Resource.Name);
        }
        foreach (var name in response.Removed)
        {
            Answer(entry, name);
        }
    }

    private static void Answer(TypeEntry<TRequest, TResponse> entry, string name)
    {
        foreach (var watch in entry.Watches.Of(name))
        {
            watch.Fetch.OnAnswered(name);
        }
    }
}
