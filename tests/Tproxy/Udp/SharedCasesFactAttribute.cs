using System;
using System.IO;

namespace Postern.Tests.Tproxy.Udp;

/// <summary>A fact that needs the vectors beside the checkout, in <c>../shared/cases</c>; skipped with the reason where they are absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedCasesFactAttribute : FactAttribute
{
    public SharedCasesFactAttribute() => Skip = DnsCases is null ? "../shared/cases/dns_cases.json is absent" : null;

    internal static string? DnsCases
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                var file = Path.Combine(folder.FullName, "shared", "cases", "dns_cases.json");
                if (File.Exists(file))
                {
                    return file;
                }
            }

            return null;
        }
    }
}
