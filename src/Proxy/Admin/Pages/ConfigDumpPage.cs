using System.Collections.Generic;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Postern.Proxy.Admin.Dump;

namespace Postern.Proxy.Admin.Pages;

/// <summary>
/// <c>/config_dump</c>: <c>name_regex</c> (RE2, the whole name), <c>resource</c> (one list, its items bare), <c>mask</c> (field paths),
/// <c>include_eds</c>. Sent item by item, so that ten thousand policies cost one of them in memory.
/// </summary>
internal sealed class ConfigDumpPage(IAdminTarget target)
{
    private const string TypePrefix = "type.googleapis.com/";

    public async Task ServeAsync(HttpContext context)
    {
        var names = NamePattern.Whole(context, "name_regex");
        var mask = FieldMask.Parse(context.Parameter("mask"));
        var sections = new ConfigDump(target).Sections(context.Request.Query.ContainsKey("include_eds"));
        var resource = context.Parameter("resource");
        var only = string.IsNullOrEmpty(resource) ? null : Find(sections, resource);
        await using var stream = context.BeginJson();
        stream.Json.WriteStartObject();
        stream.Json.WriteStartArray("configs");
        if (only is not null)
        {
            await WriteItemsAsync(stream, only, names, mask, TypePrefix + only.Type).ConfigureAwait(false);
        }
        else
        {
            foreach (var section in sections)
            {
                await WriteSectionAsync(stream, section, names, mask).ConfigureAwait(false);
            }
        }
        stream.Json.WriteEndArray();
        stream.Json.WriteEndObject();
    }

    private static DumpList Find(IReadOnlyList<DumpSection> sections, string resource)
    {
        var known = new List<string>();
        foreach (var section in sections)
        {
            foreach (var list in section.Lists)
            {
                if (list.Field == resource)
                {
                    return list;
                }
                known.Add(list.Field);
            }
        }
        throw new BadQueryException($"resource: {OneLine.Of(resource)} is none of {string.Join(", ", known)}; endpoints need include_eds as well");
    }

    private static async Task WriteSectionAsync(JsonStream stream, DumpSection section, NamePattern? names, FieldMask? mask)
    {
        var json = stream.Json;
        json.WriteStartObject();
        json.WriteString("@type", TypePrefix + section.Type);
        if (section.Version.Length > 0)
        {
            json.WriteString("version_info", section.Version);
        }
        foreach (var list in section.Lists)
        {
            FieldMask? below = null;
            if (mask is not null && !mask.TryEnter(list.Field, out below))
            {
                continue;
            }
            json.WritePropertyName(list.Field);
            if (list.Field == "bootstrap") // the one field that is no list
            {
                await WriteItemsAsync(stream, list, null, below, null).ConfigureAwait(false);
                continue;
            }
            json.WriteStartArray();
            await WriteItemsAsync(stream, list, names, below, null).ConfigureAwait(false);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static async Task WriteItemsAsync(JsonStream stream, DumpList list, NamePattern? names, FieldMask? mask, string? type)
    {
        foreach (var item in list.Items)
        {
            if (names is null || Fits(names, item))
            {
                WriteItem(stream.Json, item, mask, type);
                await stream.PaceAsync().ConfigureAwait(false);
            }
        }
    }

    private static void WriteItem(Utf8JsonWriter json, DumpItem item, FieldMask? mask, string? type)
    {
        json.WriteStartObject();
        if (type is not null)
        {
            json.WriteString("@type", type);
        }
        if (mask is null)
        {
            item.WriteFields(json);
        }
        else
        {
            mask.WriteFields(json, item.WriteFields);
        }
        json.WriteEndObject();
    }

    private static bool Fits(NamePattern names, DumpItem item)
    {
        foreach (var name in item.Names)
        {
            if (names.Matches(name))
            {
                return true;
            }
        }
        return false;
    }
}
