using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Postern.Agent.Api;

/// <summary>How the API writes and the command line reads JSON.</summary>
public static class ApiJson
{
    /// <summary>camelCase members, enums by name, indented for people with curl.</summary>
    public static readonly JsonSerializerOptions Options = Make(indented: true);

    /// <summary>The same on one line.</summary>
    public static readonly JsonSerializerOptions Line = Make(indented: false);

    private static JsonSerializerOptions Make(bool indented) => new(JsonSerializerDefaults.Web)
    {
        WriteIndented = indented,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // read by terminals and jq, not by browsers
        Converters = { new JsonStringEnumConverter() },
    };
}
