using System;
using System.Collections.Generic;
using System.Text.Json;
using Postern.Policy;
using Postern.Xds;

namespace Postern.Proxy.PolicyTest;

/// <summary>Applies a case's update and checks <c>update_expect</c>, <c>reject_error</c> and <c>reject_error_match</c>.</summary>
internal static class CaseUpdate
{
    /// <summary>Runs <paramref name="compile"/>; returns null when the update was refused. Writes the update's line.</summary>
    public static T? Apply<T>(JsonElement @case, CaseReport report, Func<T> compile)
        where T : class
    {
        T? result = null;
        string? error = null;
        try
        {
            result = compile();
        }
        catch (Exception refusal) when (refusal is PolicyConfigException or XdsConfigException)
        {
            error = refusal.Message;
        }
        var failures = new List<string>();
        var expected = CaseJson.Text(@case, "update_expect");
        if (expected is not (null or "accept" or "reject"))
        {
            throw new CaseFormatException($"'update_expect' must be accept or reject, not '{expected}'");
        }
        // Who tries a policy without saying so expects that it is accepted.
        expected ??= CaseJson.Text(@case, "reject_error") is null ? "accept" : "reject";
        if (expected != (error is null ? "accept" : "reject"))
        {
            failures.Add($"update_expect: expected {expected}");
        }
        if (CaseJson.Text(@case, "reject_error") is { } wanted)
        {
            var substring = CaseJson.Text(@case, "reject_error_match") == "substring";
            if (error is null || !(substring ? error.Contains(wanted, StringComparison.Ordinal) : error == wanted))
            {
                failures.Add($"reject_error: expected {(substring ? "text with" : "exactly")} '{wanted}'");
            }
        }
        report.Update(error, failures);
        return result;
    }
}
