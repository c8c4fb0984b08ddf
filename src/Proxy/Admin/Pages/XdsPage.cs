using System;
using System.Globalization;
using System.Text;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Admin.Pages;

/// <summary>
/// <c>/xds</c>: what was asked of which control plane, what it answered and what became of it. "Received" is not "in force": each resource shows
/// its state, and what it waits for. Text, or <c>format=json</c>.
/// </summary>
internal sealed class XdsPage(IAdminTarget target, TimeProvider time)
{
    private const string None = "-";

    public Task ServeAsync(HttpContext context) =>
        AnswerFormat.IsJson(context) ? XdsJson.WriteAsync(context, target) : WriteTextAsync(context);

    private async Task WriteTextAsync(HttpContext context)
    {
        var now = time.GetUtcNow();
        await using var text = context.BeginText("text/plain; charset=UTF-8");
        await text.WriteAsync($"{"TYPE",-6} {"STATE",-11} {"VERSION",-16} {"HELD",5} {"RECV",6} {"ACK",6} {"NACK",6} {"LAST ACK",-9} SOURCE\n").ConfigureAwait(false);
        foreach (var subscription in target.Subscriptions)
        {
            await text.WriteAsync(Subscription(subscription, now)).ConfigureAwait(false);
        }
        await text.WriteAsync($"\n{"TYPE",-6} {"STATE",-9} {"VERSION",-16} {"SINCE",-9} NAME\n").ConfigureAwait(false);
        foreach (var resource in target.Resources)
        {
            await text.WriteAsync(Resource(resource, now)).ConfigureAwait(false);
        }
    }

    private static string Subscription(SubscriptionStatus s, DateTimeOffset now)
    {
        var text = new StringBuilder();
        text.Append($"{s.Type.ShortName,-6} {OneLine.Of(s.State),-11} {OrNone(s.Version),-16} {s.Resources,5} {s.Received,6} {s.Accepted,6} {s.Rejected,6} {Ago(s.LastAck, now),-9} {OneLine.Of(s.Source)}\n");
        if (s.Names.Count > 0)
        {
            text.Append("         names: ").Append(OneLine.Of(string.Join(", ", s.Names))).Append('\n');
        }
        if (s.LastNack is { } nack)
        {
            text.Append($"         last NACK {JsonTimes.Text(nack)}, version {OrNone(s.LastNackVersion)}: {OneLine.Of(s.LastNackText)}\n");
        }
        if (s.LastStreamError.Length > 0)
        {
            text.Append("         stream: ").Append(OneLine.Of(s.LastStreamError)).Append('\n');
        }
        return text.ToString();
    }

    private static string Resource(ResourceStatus r, DateTimeOffset now)
    {
        var text = new StringBuilder();
        var disk = r.FromDisk ? "  (from the state on disk)" : "";
        text.Append($"{r.Type.ShortName,-6} {NameOf(r.State),-9} {OrNone(r.Version),-16} {Ago(r.Since, now),-9} {OneLine.Of(r.Name)}{disk}\n");
        if (r.WaitingFor.Count > 0)
        {
            text.Append("         waits for ").Append(OneLine.Of(string.Join(", ", r.WaitingFor))).Append('\n');
        }
        if (r.Error.Length > 0)
        {
            text.Append("         refused: ").Append(OneLine.Of(r.Error)).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>The state as the page says it.</summary>
    public static string NameOf(ResourceState state) => state switch
    {
        ResourceState.Active => "active",
        ResourceState.Warming => "warming",
        ResourceState.Rejected => "rejected",
        _ => "received",
    };

    private static string OrNone(string text) => text.Length == 0 ? None : OneLine.Of(text);

    private static string Ago(DateTimeOffset? moment, DateTimeOffset now)
    {
        if (moment is not { } then)
        {
            return None;
        }
        var span = now - then;
        var (number, unit) = span.TotalSeconds switch
        {
            < 0 => (0, "s"),
            < 120 => (span.TotalSeconds, "s"),
            < 7200 => (span.TotalMinutes, "m"),
            < 172800 => (span.TotalHours, "h"),
            _ => (span.TotalDays, "d"),
        };
        return ((long)number).ToString(CultureInfo.InvariantCulture) + unit;
    }
}
