using System;

namespace Postern.Tests.Netns.Foreign;

/// <summary>A test in namespaces that needs packages of Debian, named with blanks between.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ForeignFactAttribute : FactAttribute
{
    public ForeignFactAttribute(string packages) => Skip = Programs.WhyNot(packages);
}
