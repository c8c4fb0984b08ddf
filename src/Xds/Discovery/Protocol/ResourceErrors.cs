using System;
using System.Collections.Generic;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.Collections;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Protocol;

/// <summary><c>resource_errors</c>: what the control plane says it cannot give. Recorded, without effect on what is in force.</summary>
internal static class ResourceErrors
{
    private const int Most = 64;

    public static IReadOnlyList<(string Name, string Text)> Read(RepeatedField<ResourceError> errors)
    {
        var result = new List<(string, string)>(Math.Min(errors.Count, Most));
        for (var i = 0; i < errors.Count && i < Most; i++)
        {
            var status = errors[i].ErrorDetail;
            result.Add((Printable.Clip(errors[i].ResourceName?.Name ?? ""), $"code {status?.Code ?? 0}: {Printable.Clip(status?.Message ?? "")}"));
        }
        return result;
    }
}
