using System;
using Xunit;

namespace Postern.Netns.Fixture;

/// <summary>A test that makes network namespaces; skipped, with the reason, where that is impossible.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NetnsFactAttribute : FactAttribute
{
    public NetnsFactAttribute() => Skip = NetnsSupport.WhyNot;
}
