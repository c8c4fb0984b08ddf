using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Postern.Agent.Model.Reading;

/// <summary>The items of rules.http, rules.kafka and rules.dns.</summary>
internal static class L7RuleReader
{
    public static HttpRule ReadHttp(FieldCursor item, ObjectMetadata metadata)
    {
        var rule = new HttpRule(
            item.Field("path")?.Text() ?? "",
            item.Field("method")?.Text() ?? "",
            item.Field("host")?.Text() ?? "",
            [.. item.Field("headers")?.Items().Select(ReadHeader) ?? []],
            [.. item.Field("headerMatches")?.Items().Select(one => ReadHeaderMatch(one, metadata)) ?? []]);
        item.RefuseUnknown();
        return rule;
    }

    public static KafkaRule ReadKafka(FieldCursor item)
    {
        IReadOnlyList<int> keys = [];
        var role = item.Field("role");
        var key = item.Field("apiKey");
        if (role is not null && key is not null)
        {
            item.Refuse("has role and apiKey; keep one of them");
        }
        else if (role is not null)
        {
            keys = role.Choice("produce", "consume") == "produce" ? KafkaRule.ProduceKeys : KafkaRule.ConsumeKeys;
        }
        else if (key is not null)
        {
            var number = KafkaRule.KeyNames.ToList().IndexOf(key.Text().ToLowerInvariant());
            if (number < 0)
            {
                key.Refuse("is no name of a Kafka request", Xds.Text.NearMiss.Find(key.Text(), KafkaRule.KeyNames));
            }
            keys = [number];
        }
        var version = -1;
        if (item.Field("apiVersion") is { } field && field.Text() is { Length: > 0 } text)
        {
            if (!short.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed))
            {
                field.Refuse("is no version: a number from 0 to 32767 in quotes");
            }
            version = parsed;
        }
        var rule = new KafkaRule(keys, version, item.Field("clientID")?.Text() ?? "", item.Field("topic")?.Text() ?? "");
        item.RefuseUnknown();
        return rule;
    }

    public static DnsRule ReadDns(FieldCursor item)
    {
        var rule = new DnsRule(item.Field("matchName")?.Text() ?? "", item.Field("matchPattern")?.Text() ?? "");
        if ((rule.MatchName.Length == 0) == (rule.MatchPattern.Length == 0))
        {
            item.Refuse("needs matchName or matchPattern, one of them");
        }
        item.RefuseUnknown();
        return rule;
    }

    public static SecretReference? ReadSecret(FieldCursor field, string defaultNamespace)
    {
        var space = field.Field("namespace") is { } one ? ObjectMetadata.Name(one) : defaultNamespace;
        var name = field.Required("name") is { } two ? ObjectMetadata.Name(two) : "";
        field.RefuseUnknown();
        return new SecretReference(space, name);
    }

    private static string ReadHeader(FieldCursor item)
    {
        var text = item.Text();
        if (text.Length == 0 || text[0] is ' ' or ':')
        {
            item.Refuse("has no name; write \"X-Key: value\" or \"X-Key\"");
        }
        return text;
    }

    private static HttpHeaderMatch ReadHeaderMatch(FieldCursor item, ObjectMetadata metadata)
    {
        var name = item.Required("name")?.Text() ?? "";
        var value = item.Field("value")?.Text() ?? "";
        var secret = item.Field("secret") is { } field ? ReadSecret(field, metadata.Key.Namespace.Length == 0 ? "default" : metadata.Key.Namespace) : null;
        var mismatch = item.Field("mismatch")?.Choice("LOG", "ADD", "DELETE", "REPLACE", "") ?? "";
        item.RefuseUnknown();
        if (name.Length == 0)
        {
            item.Refuse("has no name");
        }
        return new HttpHeaderMatch(name, value, secret, mismatch.Length == 0 ? HeaderMismatch.Fail : Enum.Parse<HeaderMismatch>(mismatch, ignoreCase: true));
    }
}
