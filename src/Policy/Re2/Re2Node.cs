namespace Postern.Policy.Re2;

internal enum Re2Kind
{
    Empty,
    Set,
    Concat,
    Alternate,
    Repeat,
    Begin,
    End,
    LineBegin,
    LineEnd,
    WordBoundary,
    NotWordBoundary,
}

/// <summary>
/// Syntax tree of an expression. Captures and laziness are dropped by the parser: policy asks only whether the whole text matches, and
/// neither changes the answer. A literal character is a set of one.
/// </summary>
internal sealed class Re2Node(Re2Kind kind)
{
    public const int Unbounded = -1;

    public Re2Kind Kind { get; } = kind;

    public CodePointSet Set { get; private init; } = CodePointSet.None;

    public Re2Node[] Children { get; private init; } = [];

    public int Min { get; private init; }

    public int Max { get; private init; }

    public static Re2Node Of(CodePointSet set) => new(Re2Kind.Set) { Set = set };

    public static Re2Node Repeat(Re2Node child, int min, int max) => new(Re2Kind.Repeat) { Children = [child], Min = min, Max = max };

    public static Re2Node Group(Re2Kind kind, Re2Node[] children) =>
        children.Length switch
        {
            0 => new Re2Node(Re2Kind.Empty),
            1 => children[0],
            _ => new Re2Node(kind) { Children = children },
        };
}
