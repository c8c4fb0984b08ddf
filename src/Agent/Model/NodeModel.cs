using System.Collections.Generic;
using System.Linq;

namespace Postern.Agent.Model;

/// <summary>What the files of the folder say, checked one by one and against each other. Immutable.</summary>
public sealed class NodeModel
{
    /// <summary>An empty folder.</summary>
    public static readonly NodeModel Empty = new([], []);

    /// <param name="objects">Every object in force; keys are unique.</param>
    /// <param name="problems">What was not taken over.</param>
    public NodeModel(IReadOnlyList<NodeObject> objects, IReadOnlyList<ModelProblem> problems)
    {
        Objects = objects;
        Problems = problems;
        Policies = Sorted<PolicyObject>();
        EnvoyConfigs = Sorted<EnvoyConfigObject>();
        Endpoints = Sorted<EndpointObject>();
        Services = Sorted<ServiceObject>();
        Secrets = Sorted<SecretObject>();
        Namespaces = Sorted<NamespaceObject>();
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<NodeObject> Objects { get; }

    /// <summary>What was not taken over, by file and line. What was in force before stays.</summary>
    public IReadOnlyList<ModelProblem> Problems { get; }

    /// <summary>By name.</summary>
    public IReadOnlyList<PolicyObject> Policies { get; }

    /// <summary>By name.</summary>
    public IReadOnlyList<EnvoyConfigObject> EnvoyConfigs { get; }

    /// <summary>By name.</summary>
    public IReadOnlyList<EndpointObject> Endpoints { get; }

    /// <summary>By name.</summary>
    public IReadOnlyList<ServiceObject> Services { get; }

    /// <summary>By name.</summary>
    public IReadOnlyList<SecretObject> Secrets { get; }

    /// <summary>By name.</summary>
    public IReadOnlyList<NamespaceObject> Namespaces { get; }

    private List<T> Sorted<T>()
        where T : NodeObject => [.. Objects.OfType<T>().OrderBy(one => one.Key.Kind + " " + one.Key.QualifiedName, System.StringComparer.Ordinal)];
}
