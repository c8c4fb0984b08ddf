using System;

namespace Postern.Tests.Netns.Foreign;

/// <summary>As <see cref="ForeignFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ForeignTheoryAttribute : TheoryAttribute
{
    public ForeignTheoryAttribute(string packages) => Skip = Programs.WhyNot(packages);
}
