using System;
using System.Collections.Generic;
using Google.Protobuf.WellKnownTypes;
using Postern.Policy;

namespace Postern.Xds.Discovery;

/// <summary>One decoded and validated resource.</summary>
/// <param name="Name">Unique within its type.</param>
/// <param name="Version">Of the <c>Resource</c> wrapper; in SotW that of the response that first brought these bytes.</param>
/// <param name="Config">
/// The validated record: <c>ListenerConfig</c>, <c>ClusterConfig</c>, <c>RouteConfig</c>, <c>EndpointsConfig</c>, <c>SecretConfig</c>,
/// <c>NetworkPolicyConfig</c> or <c>NetworkPolicyHostsConfig</c>. Compares by meaning.
/// </param>
/// <param name="Source">As received, for dumps and the state on disk.</param>
public sealed record DiscoveredResource(string Name, string Version, object Config, Any Source);

/// <summary>One response of a control plane (or one reading of a file), decoded. All of it is applied, or nothing.</summary>
/// <param name="Type">Of all its resources.</param>
/// <param name="Version"><c>version_info</c> or <c>system_version_info</c>.</param>
/// <param name="Stream">New for the first update after a (re)connect.</param>
/// <param name="IsFullSet">
/// The resources are all there are: what is not among them is gone. True for SotW of types where <see cref="ResourceType.IsFullSet"/> holds, and
/// for the first Delta update of a new stream where <see cref="ResourceType.ReplacesOnNewStream"/> does; else they are upserts.
/// Unchanged bytes come as the same object as before.
/// </param>
/// <param name="Resources">Names are unique.</param>
/// <param name="Removed">Names; unknown ones are ignored. Removals come before upserts.</param>
public sealed record ResourceUpdate(
    ResourceType Type,
    string Version,
    UpdateStream Stream,
    bool IsFullSet,
    IReadOnlyList<DiscoveredResource> Resources,
    IReadOnlyList<string> Removed);

/// <summary>Why a resource is refused, in parts, so that people and programs can act on it.</summary>
/// <param name="Resource">Name; empty when the whole response is meant.</param>
/// <param name="Path">Field path within the resource, like <c>filter_chains[0].filters[1].typed_config.cluster</c>; may be empty.</param>
/// <param name="Reason">What is wrong with which value, by which rule, and how to mend it: one line.</param>
public sealed record ResourceProblem(string Resource, string Path, string Reason);

/// <summary>
/// Takes the updates of one subscription. Called on the configuration thread, never on the thread that reads the stream, and one call at a
/// time per subscription.
/// </summary>
public interface IResourceSink
{
    /// <summary>Applies an update, all or nothing.</summary>
    /// <returns>Empty: accepted, an ACK goes out. Else: nothing was changed, and the NACK carries these.</returns>
    IReadOnlyList<ResourceProblem> Apply(ResourceUpdate update);

    /// <summary>
    /// The control plane did not answer for these names within <c>initial_fetch_timeout</c> (empty: for the whole wildcard subscription).
    /// Called at most once per name; a later answer is applied as usual.
    /// </summary>
    void OnFetchTimeout(IReadOnlyList<string> names);
}
