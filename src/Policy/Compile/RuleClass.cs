using System;

namespace Postern.Policy.Compile;

/// <summary>
/// The rules that name an identity, in evaluation order, each with the number of any-identity rules that come before it. Identities with
/// equal rows share one class. The any-identity rules themselves stay in one list per port and are merged in while walking: copied into
/// each class they would take classes × rules memory.
/// </summary>
internal sealed class RuleClass : IEquatable<RuleClass>
{
    public static readonly RuleClass Empty = new([], []);

    private readonly int hash;

    public RuleClass(RuleBody[] bodies, int[] gaps)
    {
        Bodies = bodies;
        Gaps = gaps;
        var code = default(HashCode);
        for (var i = 0; i < bodies.Length; i++)
        {
            code.Add(bodies[i]);
            code.Add(gaps[i]);
        }
        hash = code.ToHashCode();
    }

    public RuleBody[] Bodies { get; }

    public int[] Gaps { get; }

    // Bodies are interned, so references decide.
    public bool Equals(RuleClass? other) =>
        other is not null && hash == other.hash && Gaps.AsSpan().SequenceEqual(other.Gaps) && Bodies.AsSpan().SequenceEqual(other.Bodies);

    public override bool Equals(object? obj) => Equals(obj as RuleClass);

    public override int GetHashCode() => hash;
}
