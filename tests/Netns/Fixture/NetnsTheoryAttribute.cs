using System;
using Xunit;

namespace Postern.Netns.Fixture;

/// <summary>As <see cref="NetnsFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NetnsTheoryAttribute : TheoryAttribute
{
    public NetnsTheoryAttribute() => Skip = NetnsSupport.WhyNot;
}
