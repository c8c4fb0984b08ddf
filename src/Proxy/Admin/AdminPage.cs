using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;

namespace Postern.Proxy.Admin;

/// <summary>One path.</summary>
/// <param name="Path">Exact, without query.</param>
/// <param name="Help">One line.</param>
/// <param name="Serve">Writes the answer.</param>
/// <param name="Access">Which methods it takes.</param>
internal sealed record AdminPage(string Path, string Help, AdminHandler Serve, AdminAccess Access = AdminAccess.Reads);

/// <summary>Answers one request.</summary>
internal delegate Task AdminHandler(HttpContext context);

/// <summary>Which methods a page takes.</summary>
internal enum AdminAccess
{
    /// <summary>GET, HEAD, and POST, which does the same.</summary>
    Reads,

    /// <summary>POST only: it changes the proxy.</summary>
    Changes,

    /// <summary>POST with a query changes; GET without one reads.</summary>
    ChangesWithQuery,
}
