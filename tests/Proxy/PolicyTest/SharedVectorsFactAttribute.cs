using System;
using System.IO;

namespace Postern.Tests.Proxy.PolicyTest;

/// <summary>A test over the shared vectors, skipped where that folder does not stand beside the checkout.</summary>
public sealed class SharedVectorsFactAttribute : FactAttribute
{
    public SharedVectorsFactAttribute()
    {
        if (Find() is null)
        {
            Skip = "../shared/cases/policy_cases.json is absent";
        }
    }

    internal static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Proxy.sln")))
            {
                var path = Path.Combine(folder.FullName, "..", "shared", "cases", "policy_cases.json");
                return File.Exists(path) ? path : null;
            }
        }
        return null;
    }
}
