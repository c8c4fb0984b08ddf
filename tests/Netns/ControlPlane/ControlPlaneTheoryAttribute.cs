using System;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>As <see cref="ControlPlaneFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ControlPlaneTheoryAttribute : TheoryAttribute
{
    public ControlPlaneTheoryAttribute() =>
        Skip = NetnsSupport.WhyNot ?? (PythonGrpc.IsHere ? null : "needs python3-grpcio; ./test.sh installs it as root");
}
