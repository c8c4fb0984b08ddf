using System.Text;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Postern.Proxy.Admin.Dump;

namespace Postern.Proxy.Admin.Pages;

/// <summary><c>/listeners</c>: names and bound addresses, as text or with <c>format=json</c>.</summary>
internal sealed class ListenersPage(IAdminTarget target)
{
    public Task ServeAsync(HttpContext context) => AnswerFormat.IsJson(context) ? WriteJsonAsync(context) : WriteTextAsync(context);

    private Task WriteTextAsync(HttpContext context)
    {
        var text = new StringBuilder();
        foreach (var (name, address) in target.Listening)
        {
            text.Append($"{OneLine.Of(name)}::{address}\n");
        }
        return context.WriteTextAsync(StatusCodes.Status200OK, text.ToString());
    }

    private Task WriteJsonAsync(HttpContext context) => context.WriteJsonAsync(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("listener_statuses");
        foreach (var (name, address) in target.Listening)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            BootstrapDump.WriteAddress(json, "local_address", address);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });
}
