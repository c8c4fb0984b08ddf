using Microsoft.AspNetCore.Http;

namespace Postern.Proxy.Admin.Pages;

/// <summary>The <c>format</c> parameter of pages that are text unless asked for JSON.</summary>
internal static class AnswerFormat
{
    /// <exception cref="BadQueryException">It is neither.</exception>
    public static bool IsJson(HttpContext context) => context.Parameter("format") switch
    {
        null or "" or "text" => false,
        "json" => true,
        _ => throw new BadQueryException("format: text or json"),
    };
}
