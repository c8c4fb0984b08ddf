using System;
using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;

namespace Postern.Proxy.Admin;

/// <summary>Ways to answer. None of them may be cached: a page says how things are now.</summary>
internal static class Answers
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, IndentSize = 1 };

    /// <summary>A whole text.</summary>
    public static Task WriteTextAsync(this HttpContext context, int status, string text, string contentType = "text/plain; charset=UTF-8")
    {
        var response = Begin(context, status, contentType);
        var bytes = Encoding.UTF8.GetBytes(text);
        response.ContentLength = bytes.Length;
        return response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }

    /// <summary>A small JSON document.</summary>
    public static Task WriteJsonAsync(this HttpContext context, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Indented))
        {
            write(json);
        }
        var response = Begin(context, StatusCodes.Status200OK, "application/json");
        response.ContentLength = buffer.WrittenCount;
        return response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted).AsTask();
    }

    /// <summary>A JSON document that may be large: it leaves in pieces, as fast as the reader takes them.</summary>
    public static JsonStream BeginJson(this HttpContext context)
    {
        var response = Begin(context, StatusCodes.Status200OK, "application/json");
        return new JsonStream(response.BodyWriter, Indented, context.RequestAborted);
    }

    /// <summary>A text that may be large.</summary>
    public static TextStream BeginText(this HttpContext context, string contentType) =>
        new(Begin(context, StatusCodes.Status200OK, contentType).Body, context.RequestAborted);

    /// <summary>The one value of a query parameter, or null.</summary>
    public static string? Parameter(this HttpContext context, string name) =>
        context.Request.Query.TryGetValue(name, out var values) ? values[0] : null;

    private static HttpResponse Begin(HttpContext context, int status, string contentType)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-cache, max-age=0";
        response.Headers.XContentTypeOptions = "nosniff";
        return response;
    }
}
