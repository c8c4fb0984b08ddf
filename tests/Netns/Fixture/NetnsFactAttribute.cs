using System;
using System.IO;
using Xunit;

namespace Postern.Netns.Fixture;

/// <summary>A test that makes network namespaces; skipped, with the reason, where that is impossible.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NetnsFactAttribute : FactAttribute
{
    public NetnsFactAttribute() => Skip = NetnsSupport.WhyNot;

    /// <summary>As above, and skipped where a command the test needs is not in /usr/sbin.</summary>
    public NetnsFactAttribute(string command)
        : this() => Skip ??= File.Exists("/usr/sbin/" + command) ? null : $"the command '{command}' is not installed";
}
