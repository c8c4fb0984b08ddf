using System;
using System.Collections.Generic;
using System.Text.Json;
using Postern.Policy;

namespace Postern.Proxy.PolicyTest;

/// <summary>Secrets of a vector's <c>context.sds_secrets</c>: a name that is not there is a secret that is not loaded.</summary>
internal sealed class CaseSecrets : ISecretSource
{
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    public CaseSecrets(JsonElement? context)
    {
        if (context is { } present && CaseJson.Field(present, "sds_secrets") is { ValueKind: JsonValueKind.Object } secrets)
        {
            foreach (var secret in secrets.EnumerateObject())
            {
                values[secret.Name] = secret.Value.GetString() ?? "";
            }
        }
    }

    public string? FindGenericSecret(string name) => values.GetValueOrDefault(name);
}
