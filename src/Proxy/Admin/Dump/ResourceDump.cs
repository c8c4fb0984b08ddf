using System.Collections.Generic;
using System.Text.Json;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Admin.Dump;

/// <summary>What <c>/config_dump</c> says of a resource beside its content: version, time, error, what the control plane was told.</summary>
internal sealed class ResourceDump(IReadOnlyList<SubscriptionStatus> subscriptions)
{
    /// <summary>Fields of a <c>DynamicCluster</c>, <c>DynamicRouteConfig</c> and their like, whose content stands under <paramref name="field"/>.</summary>
    public void WriteFlat(Utf8JsonWriter json, ResourceStatus resource, string field)
    {
        WriteContent(json, resource, field);
        WriteOutcome(json, resource);
    }

    /// <summary>Fields of a <c>DynamicListener</c>, which has an object for each state.</summary>
    public void WriteByState(Utf8JsonWriter json, ResourceStatus resource, string field)
    {
        json.WriteString("name", resource.Name);
        var state = resource.State switch
        {
            ResourceState.Active => "active_state",
            ResourceState.Warming => "warming_state",
            _ => null,
        };
        if (state is not null)
        {
            json.WriteStartObject(state);
            WriteContent(json, resource, field);
            json.WriteEndObject();
        }
        WriteOutcome(json, resource);
    }

    private static void WriteContent(Utf8JsonWriter json, ResourceStatus resource, string field)
    {
        if (resource.Version.Length > 0)
        {
            json.WriteString("version_info", resource.Version);
        }
        json.WritePropertyName(field);
        if (resource.Type == ResourceType.Secret)
        {
            SecretDump.Write(json, resource);
        }
        else if (resource.Source is { } source)
        {
            MessageJson.WriteAny(json, source);
        }
        else
        {
            WriteNameOnly(json, resource);
        }
        json.WriteTime("last_updated", resource.Since);
    }

    private void WriteOutcome(Utf8JsonWriter json, ResourceStatus resource)
    {
        if (resource.Error.Length > 0)
        {
            var refusal = LastRefusal(resource);
            json.WriteStartObject("error_state");
            json.WriteTime("last_update_attempt", refusal?.LastNack ?? resource.Since);
            json.WriteString("details", resource.Error);
            json.WriteString("version_info", refusal?.LastNackVersion ?? "");
            json.WriteEndObject();
        }
        json.WriteString("client_status", ClientStatus(resource));
    }

    private static string ClientStatus(ResourceStatus resource) => resource switch
    {
        { Error.Length: > 0 } or { State: ResourceState.Rejected } => "NACKED",
        { State: ResourceState.Received } => "REQUESTED",
        _ => "ACKED",
    };

    private SubscriptionStatus? LastRefusal(ResourceStatus resource)
    {
        SubscriptionStatus? latest = null;
        foreach (var subscription in subscriptions)
        {
            if (subscription.Type == resource.Type && subscription.RejectedByResource.ContainsKey(resource.Name) && !(latest?.LastNack >= subscription.LastNack))
            {
                latest = subscription;
            }
        }
        return latest;
    }

    private static void WriteNameOnly(Utf8JsonWriter json, ResourceStatus resource)
    {
        json.WriteStartObject();
        json.WriteString("@type", resource.Type.TypeUrl);
        json.WriteString("name", resource.Name);
        json.WriteEndObject();
    }
}
