using System;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>A test with namespaces and a foreign control plane.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ControlPlaneFactAttribute : FactAttribute
{
    public ControlPlaneFactAttribute() =>
        Skip = NetnsSupport.WhyNot ?? (PythonGrpc.IsHere ? null : "needs python3-grpcio; ./test.sh installs it as root");
}
