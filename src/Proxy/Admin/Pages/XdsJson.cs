using System.Collections.Generic;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Admin.Pages;

/// <summary><c>/xds?format=json</c>: <c>{"subscriptions":[…],"resources":[…]}</c>. Every key is always there; a time that has not been is null.</summary>
internal static class XdsJson
{
    public static async Task WriteAsync(HttpContext context, IAdminTarget target)
    {
        await using var stream = context.BeginJson();
        var json = stream.Json;
        json.WriteStartObject();
        json.WriteStartArray("subscriptions");
        foreach (var subscription in target.Subscriptions)
        {
            Write(json, subscription);
            await stream.PaceAsync().ConfigureAwait(false);
        }
        json.WriteEndArray();
        json.WriteStartArray("resources");
        foreach (var resource in target.Resources)
        {
            Write(json, resource);
            await stream.PaceAsync().ConfigureAwait(false);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, SubscriptionStatus s)
    {
        json.WriteStartObject();
        json.WriteString("type", s.Type.ShortName);
        json.WriteString("type_url", s.Type.TypeUrl);
        json.WriteString("source", s.Source);
        WriteTexts(json, "names", s.Names);
        json.WriteString("state", s.State);
        json.WriteString("version", s.Version);
        json.WriteNumber("resources", s.Resources);
        json.WriteNumber("received", s.Received);
        json.WriteNumber("accepted", s.Accepted);
        json.WriteNumber("rejected", s.Rejected);
        json.WriteNumber("attempts", s.Attempts);
        json.WriteNumber("fetch_timeouts", s.FetchTimeouts);
        WriteTime(json, "last_ack", s.LastAck);
        WriteTime(json, "last_nack", s.LastNack);
        json.WriteString("last_nack_version", s.LastNackVersion);
        json.WriteString("last_nack_text", s.LastNackText);
        json.WriteString("last_stream_error", s.LastStreamError);
        json.WriteStartObject("rejected_by_resource");
        foreach (var (name, count) in s.RejectedByResource)
        {
            json.WriteNumber(name, count);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ResourceStatus r)
    {
        json.WriteStartObject();
        json.WriteString("type", r.Type.ShortName);
        json.WriteString("name", r.Name);
        json.WriteString("state", XdsPage.NameOf(r.State));
        json.WriteString("version", r.Version);
        WriteTime(json, "since", r.Since);
        WriteTexts(json, "waiting_for", r.WaitingFor);
        json.WriteString("error", r.Error);
        json.WriteBoolean("from_disk", r.FromDisk);
        json.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, System.DateTimeOffset? time)
    {
        if (time is null)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteTime(name, time);
        }
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }
        json.WriteEndArray();
    }
}
